# syntax=docker/dockerfile:1

# The wheel, with the browser scripts that npm (from PyPI) brings into it.
FROM python:3.13-slim AS build
WORKDIR /src
RUN pip install --no-cache-dir build==1.6.1
COPY .npmrc README.md constraints.txt hatch_build.py package-lock.json package.json pyproject.toml ./
COPY dreamweb/ dreamweb/
COPY migrations/ migrations/
COPY static/ static/
COPY templates/ templates/
RUN python -m build --wheel --outdir /wheels
# [whisper] brings speech recognition on this machine, and 440 MB.
ARG EXTRAS=""
RUN python -m venv /opt/dreamweb \
    && /opt/dreamweb/bin/pip install --no-cache-dir --constraint constraints.txt "$(echo /wheels/*.whl)${EXTRAS}"

# What runs: Python, the finished environment, and a user who owns nothing but the data.
FROM python:3.13-slim
RUN groupadd --gid 10001 dreamweb \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin dreamweb \
    && install --directory --owner=10001 --group=10001 --mode=0750 /data /data/audio
COPY --from=build /opt/dreamweb /opt/dreamweb

ENV PATH=/opt/dreamweb/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DATA_DIR=/data \
    AUDIO_STORAGE_PATH=/data/audio \
    HOST=0.0.0.0 \
    PORT=8000
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health', timeout=4)"]
CMD ["dreamweb", "serve"]
