# SPDX-License-Identifier: Apache-2.0
"""Web servers that serve TLS with two keys in processes of their own, and whose
every connection needs a signature. `more` is what else the server is told, `rsa`
and `ec` are certificates, `rsa_key` and `ec_key` how it names their keys."""

import os

APACHE_MODULES = "/usr/lib/apache2/modules"
NGINX_USER = "" if os.geteuid() else "user root;"
APACHE_USER = "" if os.geteuid() else "User nobody\nGroup nogroup"

NGINX = """
daemon on;
worker_processes {workers};
{user}
env OPENSSL_CONF;
{more}
pid {folder}/pid;
error_log {folder}/error.log info;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    # A listening socket for each worker, so that all of them get requests.
    listen 127.0.0.1:{port} ssl reuseport;
    ssl_protocols TLSv1.2 TLSv1.3;
    # Every connection shall need a signature.
    ssl_session_tickets off;
    ssl_session_cache off;
    ssl_certificate {rsa};
    ssl_certificate_key "{rsa_key}";
    ssl_certificate {ec};
    ssl_certificate_key "{ec_key}";
    location / {{ return 200 "$pid"; }}
  }}
}}
"""

APACHE = """
ServerRoot {folder}
ServerName localhost
PidFile {folder}/pid
ErrorLog {folder}/error.log
Mutex sem
LoadModule mpm_prefork_module {modules}/mod_mpm_prefork.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule ssl_module {modules}/mod_ssl.so
StartServers {workers}
MinSpareServers {workers}
MaxSpareServers {workers}
MaxRequestWorkers {workers}
{user}
{more}
Listen 127.0.0.1:{port}
DocumentRoot {folder}/htdocs
SSLSessionCache none
SSLSessionTickets off
SSLEngine on
SSLCertificateFile {rsa}
SSLCertificateKeyFile "{rsa_key}"
SSLCertificateFile {ec}
SSLCertificateKeyFile "{ec_key}"
<Directory {folder}/htdocs>
  Require all granted
</Directory>
"""
