# One image for every role: `node operator/main.ts`, `node dataplane/main.ts ROLE`.
# Node comes from BASE, the system from SYSTEM: npm and the compilers' leftovers of BASE stay behind.
ARG BASE=node:24-bookworm-slim
ARG SYSTEM=debian:bookworm-slim

FROM ${BASE} AS node
WORKDIR /quartet
COPY package.json package-lock.json ./
# client-node only reads kubeconfigs that a pod has not, pino-pretty only colours a terminal. Of lmdb's binaries one is used.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error \
 && npm uninstall --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error @kubernetes/client-node pino-pretty \
 && find node_modules -type f \( -name '*.map' -o -name '*.md' -o -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' \
      -o -name 'node.abi*.node' -o -name 'node.napi.musl.node' \) -delete \
 && rm -rf node_modules/.package-lock.json node_modules/@types node_modules/zod/src node_modules/lmdb/dependencies

FROM ${SYSTEM}
COPY --from=node /usr/local/bin/node /usr/local/bin/
WORKDIR /quartet
COPY --from=node /quartet/node_modules/ node_modules/
# What changes most comes last, so that a change of the code is one small layer.
COPY package.json ./
COPY contract/ contract/
COPY crds/ crds/
COPY operator/ operator/
COPY dataplane/ dataplane/
ENV NODE_ENV=production NODE_COMPILE_CACHE=/quartet/compiled
RUN install -d -o 10001 -g 10001 compiled
USER 10001:10001
# What Node.js makes of the TypeScript: reading it would take half of the CPU time of a start. It is of use to this user, and
# on machines whose CPU has the features of this one; others read the TypeScript.
RUN for start in $(find operator dataplane -name 'start*.ts'); do node -e "import('/quartet/$start')" || exit 1; done
ARG VERSION=0.0.0
LABEL org.opencontainers.image.title=quartet \
      org.opencontainers.image.description="The operator of Quartet, and the pods of its four services" \
      org.opencontainers.image.licenses=Apache-2.0 \
      org.opencontainers.image.version=${VERSION}
CMD ["node", "operator/main.ts"]
