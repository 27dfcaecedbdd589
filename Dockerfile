# syntax=docker/dockerfile:1
# The packed package, what it needs, and Node: no compiler, no npm, no test, no shell needed at run time. Runs as a numeric user,
# writes to /data only. Sizes: docs/operations.md#installing

FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
# What a setting asks for: "pg pg-boss" for DATABASE_URL, "bullmq ioredis" for QUEUE_URL, "@huggingface/transformers" for EMBEDDER=onnx.
ARG ADDONS=""
RUN ADDONS="$ADDONS" sh scripts/release/make-tree.sh /app && mkdir /data

FROM debian:bookworm-slim
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8000 DATA_DIR=/data UV_THREADPOOL_SIZE=16 MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=1048576 NODE_OPTIONS=--max-semi-space-size=8
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /app /app
COPY --from=build --chown=10001:10001 /data /data
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
CMD ["node", "dist/program/src/main.js"]
