# SPDX-License-Identifier: Apache-2.0
# Sourced by tools/demo, whose functions and $dir it uses: two further servers,
# a KMS and the XKS proxy that it asks, with keys in a token each.
# shellcheck shell=bash

circle=$dir/circle
mkdir "$circle"

# Of who is on loopback now; nobody else is told.
FreePort() {
  local port
  for ((port = 20443; port < 20543; ++port)); do
    (exec 4<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
  Fail "no free port"
}

Issue() {  # NAME COMMON-NAME: NAME.pem and NAME.key
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -subj "/CN=$2" -keyout "$circle/$1.key" -out "$circle/request.pem"
  openssl x509 -req -in "$circle/request.pem" -CA "$circle/ca.pem" \
    -CAkey "$circle/ca.key" -CAcreateserial -days 2 -out "$circle/$1.pem" \
    -extfile <(echo "subjectAltName=DNS:$2")
}

declare -A others=()  # Processes by name.
StopOthers() {
  local process
  for process in "${others[@]}"; do
    kill "$process" 2>/dev/null || continue
    wait "$process" || Fail "a server ended with $?"
  done
  others=()
}

Kill() {  # NAME
  printf '    $ kill -9 %s     # %s\n' "${others[$1]}" "$1"
  kill -9 "${others[$1]}"
  { wait "${others[$1]}" || true; } 2>/dev/null
  unset "others[$1]"
}

Serve() {  # NAME: a development server in circle/NAME, with circle/NAME.toml
  mkfifo "$circle/$1.said"
  printf '    $ clavigerd --dev --dev-xks %s.toml &\n' "$1"
  clavigerd --dev --dev-dir "$circle/$1" --listen 127.0.0.1:0 \
    --dev-xks "$circle/$1.toml" >"$circle/$1.said" 2>"$circle/$1.log" \
    </dev/null 3>&- &
  others[$1]=$!
  read -r ready <"$circle/$1.said" ||
    { cat "$circle/$1.log"; Fail "no server"; }
  rm "$circle/$1.said"
}

Headline "Another HSM keeps keys for this KMS: an XKS proxy with mutual TLS"
host=xks.example.com
client=cks.kms.us-east-1.amazonaws.com
port=$(FreePort)
{
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -days 2 -subj "/CN=Authority of a demo" -keyout "$circle/ca.key" \
    -out "$circle/ca.pem"
  Issue proxy "$host"
  Issue kms "$client"
} >"$circle/openssl.log" 2>&1 ||
  { cat "$circle/openssl.log"; Fail "no certificates"; }
cat >"$circle/proxy.toml" <<END
[xks_proxy]
listen = "127.0.0.1:$port"
certificate = "$circle/proxy.pem"
private_key = "$circle/proxy.key"
client_ca = "$circle/ca.pem"
client_names = ["$client"]
[[xks_tenant]]
name = "team-a"
uri_prefix = "/team-a"
END
cat >"$circle/kms.toml" <<END
[xks_client]
ca_file = "$circle/ca.pem"
client_certificate = "$circle/kms.pem"
client_key = "$circle/kms.key"
timeout_milliseconds = 2000
connect_to = ["$host:443:127.0.0.1:$port"]
END
Serve proxy
operator=(env "CLAVIGER_SOCKET=$circle/proxy/clavigerd.sock"
  claviger xks)
printf '    $ claviger xks create-key team-a payroll\n'
"${operator[@]}" create-key team-a payroll | Indent
printf '    $ claviger xks credentials rotate team-a DIR/credential\n'
"${operator[@]}" credentials rotate team-a "$circle/credential" | Indent

Headline "The full circle: aws, this KMS, XKS, that proxy, its HSM, and back"
Serve kms
(
  # shellcheck disable=SC1091
  source "$circle/kms/env"
  kms=("$circle/kms/bin/claviger-aws" --output json kms)
  Show "${kms[@]}" create-custom-key-store --custom-key-store-name hsm \
    --custom-key-store-type EXTERNAL_KEY_STORE \
    --xks-proxy-connectivity PUBLIC_ENDPOINT \
    --xks-proxy-uri-endpoint "https://$host" \
    --xks-proxy-uri-path /team-a/kms/xks/v1 \
    --xks-proxy-authentication-credential "file://$circle/credential" \
    >"$circle/store.json"
  store=$(Member CustomKeyStoreId "$circle/store.json")
  Show "${kms[@]}" connect-custom-key-store --custom-key-store-id "$store"
  for ((i = 0; i < 100; ++i)); do
    "${kms[@]}" describe-custom-key-stores --custom-key-store-id "$store" \
      >"$circle/stores.json"
    grep -q '"ConnectionState": "CONNECTING"' "$circle/stores.json" || break
    sleep 0.2
  done
  grep '"ConnectionState": "CONNECTED"' "$circle/stores.json" | Indent
  Show "${kms[@]}" create-key --origin EXTERNAL_KEY_STORE \
    --custom-key-store-id "$store" --xks-key-id payroll >"$circle/key.json"
  key=$(sed -n 's/.*"KeyId": "\(.*\)".*/\1/p' "$circle/key.json")
  Show claviger encrypt --key-id "$key" "$dir/file" -o "$circle/file.sealed"
  Show claviger decrypt "$circle/file.sealed" -o "$circle/file.opened"
  cmp "$dir/file" "$circle/file.opened"
) || Fail "the circle is open"

Headline "Each side is killed and started again, and the file opens as before"
for side in proxy kms; do
  Kill "$side"
  Serve "$side"
  (
    # shellcheck disable=SC1091
    source "$circle/kms/env"
    Show claviger decrypt "$circle/file.sealed" -o "$circle/$side.opened"
    cmp "$dir/file" "$circle/$side.opened"
  ) || Fail "it does not open"
done

Headline "The other side disables its key: nothing opens any more"
(
  # shellcheck disable=SC1091
  source "$circle/kms/env"
  printf '    $ claviger xks disable team-a payroll     # at the other side\n'
  "${operator[@]}" disable team-a payroll
  if Show claviger decrypt "$circle/file.sealed" -o "$circle/never" \
    2>"$dir/refusal"
  then Fail "it opened without the other side"; fi
  Indent <"$dir/refusal"
  "${operator[@]}" enable team-a payroll
) || Fail "the circle is open"
tr -d '\0' <"$(ls "$circle"/proxy/audit/*.jsonl | head -n 1)" |
  grep '"eventSource":"kms-xks-proxy' | grep '"eventName":"Decrypt"' |
  tail -n 1 | cut -c 1-400 | Indent
StopOthers
