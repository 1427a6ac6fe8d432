# Provisioner as one image: one port, one volume, no root, and it runs with a read-only root file system:
#
#   docker build -t provisioner .
#   docker run --read-only --tmpfs /tmp -p 8080:8080 -v provisioner:/data -e PROVISIONER_PUBLIC_URL=https://… provisioner

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build

# Every package by its hash, and as a wheel: the wheel of cryptography brings its own OpenSSL, which signs more than
# twice as fast with long RSA keys as Debian's.
COPY requirements.lock ./
RUN python -m venv --without-pip /opt/provisioner
RUN pip --python /opt/provisioner/bin/python install --require-hashes --only-binary :all: --requirement requirements.lock

COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY templates/ templates/
COPY provisioner/ provisioner/
RUN PIP_CONSTRAINT=constraints.txt pip wheel --no-deps --wheel-dir dist .
RUN pip --python /opt/provisioner/bin/python install --no-deps --no-index dist/*.whl

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="Provisioner" \
      org.opencontainers.image.description="Office 365 mail on a phone from one QR code" \
      org.opencontainers.image.licenses="Apache-2.0"

COPY --from=build /opt/provisioner /opt/provisioner
ENV PATH=/opt/provisioner/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PROVISIONER_DATA_DIR=/data \
    PROVISIONER_HOST=0.0.0.0

# The public roots, against which the signing certificate's chain is judged, come with the base image.
RUN test -s /etc/ssl/certs/ca-certificates.crt
RUN install --directory --owner=10001 --group=10001 --mode=0700 /data

# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import http.client, os; probe = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('PROVISIONER_PORT', '8080')), timeout=4); probe.request('GET', '/healthz'); raise SystemExit(probe.getresponse().status != 200)"]
ENTRYPOINT ["provisioner"]
CMD ["serve"]
