# Stands in for node:24-bookworm-slim where there is no registry; see build.ts.
ARG SYSTEM
FROM ${SYSTEM}
COPY npm/ /usr/local/lib/node_modules/npm/
COPY node /usr/local/bin/
COPY certificates.crt /etc/ssl/certs/ca-certificates.crt
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
