# Two images from one file: `app` (web, workers, beat, migrate) and `nginx` (the same version's static files in front).
#   docker build --target app -t mikrotik-billing:local .
#   docker build --target nginx -t mikrotik-billing-nginx:local .
# No secret is in any layer. docker-compose.yml builds both.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY requirements.txt deploy/container/server_requirements.py /tmp/
RUN python /tmp/server_requirements.py /tmp/requirements.txt > /tmp/server.txt \
    && python -m venv /venv \
    && /venv/bin/pip install --only-binary :all: --require-hashes --no-deps -r /tmp/server.txt \
    && /venv/bin/pip check
COPY . .
# Settings refuse to start without a database URL and keys, so this one step gets keys of its own that nothing keeps.
# No server is asked: collecting files needs no database.
RUN set -eu; \
    key() { python -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'; }; \
    DATABASE_URL=postgresql:///build JWT_SECRET="$(key)" SESSION_SECRET="$(key)" FIELD_ENCRYPTION_KEYS="$(key)" \
    VAR_DIR=/build LOG_DIR=/tmp/log /venv/bin/python manage.py collectstatic --noinput; \
    /venv/bin/python -m compileall -q /app

FROM python:3.13-slim AS app
RUN groupadd --gid 10001 app \
    && useradd --uid 10001 --gid app --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin app \
    && install -d -o app -g app -m 0750 \
        /var/lib/mikrotik-billing /var/lib/mikrotik-billing/media /var/lib/mikrotik-billing/backups \
        /var/lib/mikrotik-billing/metrics /var/log/mikrotik-billing
COPY --from=build /venv /venv
COPY --from=build /app /app
COPY --from=build /build/static /var/lib/mikrotik-billing/static
ENV PATH=/venv/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    VAR_DIR=/var/lib/mikrotik-billing LOG_DIR=/var/log/mikrotik-billing \
    BACKUP_STORAGE_PATH=/var/lib/mikrotik-billing/backups
WORKDIR /app
USER 10001:10001
# web [ADDRESS] | worker | routers | routers-slow | beat | migrate | prepare | manage ARGUMENTS
ENTRYPOINT ["/app/deploy/run"]
CMD ["web"]

FROM nginx:1.28-bookworm AS nginx
COPY --from=build /build/static /srv/static
COPY deploy/nginx/compose.conf /etc/nginx/nginx.conf
COPY deploy/nginx/zones.conf deploy/nginx/site.conf deploy/nginx/proxy.conf /etc/nginx/mikrotik-billing/
USER 101:101
