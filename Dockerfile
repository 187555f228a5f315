# Headgate in a container: the gateway (the default target) and the simulators.
#
#   docker build --tag headgate .
#   docker build --tag headgate-simulators --target simulators .

FROM debian:13.1-slim AS base
RUN useradd --system --uid 10001 --user-group --home-dir /var/lib/headgate --shell /usr/sbin/nologin headgate \
 && mkdir --parents /var/lib/headgate /var/cache/headgate /etc/headgate \
 && chown headgate:headgate /var/lib/headgate /var/cache/headgate
WORKDIR /opt/headgate

FROM base AS packages
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates npm \
 && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev \
 && rm -rf node_modules/node-linux-*/include node_modules/node-linux-*/share

# The simulated OPC-UA plant needs an OPC-UA server, which the gateway itself does without.
FROM packages AS packages-with-simulators
RUN npm ci --include=dev \
 && rm -rf node_modules/node-linux-*/include node_modules/node-linux-*/share

FROM base AS code
# Node comes with the packages, at the version of the lock file; Debian's is only needed to install them.
ENV PATH=/opt/headgate/node_modules/.bin:$PATH \
    NODE_ENV=production \
    NODE_COMPILE_CACHE=/var/cache/headgate
COPY package.json LICENSE* ./
COPY config config
COPY devices devices
COPY gateway gateway
COPY simulators simulators
RUN chmod +x gateway/headgate.js \
 && ln --symbolic /opt/headgate/gateway/headgate.js /usr/local/bin/headgate

FROM code AS simulators
COPY --from=packages-with-simulators /opt/headgate/node_modules node_modules
USER headgate
CMD ["headgate", "simulate", "devices"]

FROM code AS gateway
COPY --from=packages /opt/headgate/node_modules node_modules
USER headgate
VOLUME /var/lib/headgate
EXPOSE 1883 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "--eval", "fetch('http://127.0.0.1:8080/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["headgate", "run", "--config", "/etc/headgate/gateway.yaml"]
