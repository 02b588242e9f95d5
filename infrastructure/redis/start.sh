#!/bin/sh
# Starts Redis with one user per service: users.acl with the passwords of the environment, kept in memory only.
# The arguments are further options of redis-server.
set -eu
umask 077
cp /etc/vitte/users.acl /run/redis/users.acl
for name in bot api admin worker exporter; do
    variable=REDIS_PASSWORD_$(printf %s "$name" | tr '[:lower:]' '[:upper:]')
    eval "password=\${$variable:?}"
    hash=$(printf %s "$password" | sha256sum | cut -d' ' -f1)
    sed -i "s/{$name}/#$hash/" /run/redis/users.acl
    unset "$variable" password
done
sed -i -e '/^#/d' -e '/^$/d' /run/redis/users.acl
exec docker-entrypoint.sh redis-server --aclfile /run/redis/users.acl --maxmemory "${REDIS_MAXMEMORY:?}" --loglevel warning \
    --tcp-keepalive 60 --dir /data "$@"
