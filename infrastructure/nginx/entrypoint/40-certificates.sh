#!/bin/sh
# A renewed certificate is taken up without a restart, and the first one of ACME as soon as it is there.
[ "${TLS_MODE:-off}" != off ] || exit 0

stamp() {
    cksum "$TLS_CERTIFICATE" "$TLS_KEY" 2>/dev/null
}

watch() {
    seen=$(stamp)
    while sleep "${CERTIFICATE_CHECK_SECONDS:-60}"; do
        now=$(stamp) && [ "$now" != "$seen" ] || continue
        seen=$now
        for render in "${0%/*}"/*envsubst-on-templates.sh; do
            TLS_STATE=on "$render" >/dev/null 2>&1
        done
        if nginx -t -q; then
            nginx -s reload
            echo "nginx: the certificate has changed and is in use" >&2
        else
            echo "nginx: the new certificate cannot be used: the old one stays" >&2
        fi
    done
}

watch &
