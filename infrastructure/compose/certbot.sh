#!/bin/sh
# Asks for a certificate and looks twice a day whether it is due; certbot renews a month before it ends.
set -u
umask 022
CERTIFICATE_ROOT=${CERTIFICATE_ROOT:-/etc/letsencrypt}

set -- certonly --non-interactive --agree-tos --keep-until-expiring --expand --cert-name vitte \
    --webroot --webroot-path "${ACME_WEBROOT:-/var/www/acme}" --server "$ACME_SERVER" \
    --config-dir "$CERTIFICATE_ROOT" --work-dir /tmp/certbot --logs-dir /tmp/certbot --max-log-backups 1
if [ -n "${ACME_EMAIL:-}" ]; then
    set -- "$@" --email "$ACME_EMAIL"
else
    set -- "$@" --register-unsafely-without-email
fi
for name in $SERVER_NAME; do
    set -- "$@" --domain "$name"
done

while true; do
    if certbot "$@"; then
        # nginx reads them as a member of our group.
        chmod -R g+rX "$CERTIFICATE_ROOT/live" "$CERTIFICATE_ROOT/archive"
        pause=43200
    else
        echo "vitte: no certificate for $SERVER_NAME: does the name lead to this server, and is port 80 open? Next try in an hour" >&2
        pause=3600
    fi
    sleep "${CERTBOT_PAUSE_SECONDS:-$pause}" &
    wait $!
done
