# syntax=docker/dockerfile:1
# The server alone: no compiler, no test, no shell needed at run time. Runs as a numeric user, writes to /data only.

FROM node:24-bookworm-slim AS page
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build:web && npm run build:dictionary

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# What a setting asks for: "pg pg-boss" for DATABASE_URL, "bullmq ioredis" for QUEUE_URL, "@huggingface/transformers" for EMBEDDER=onnx.
ARG ADDONS=""
RUN npm ci --omit=dev --ignore-scripts \
  && if [ -n "$ADDONS" ]; then npm install --no-save --save-prod --omit=dev --ignore-scripts $ADDONS; fi

FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8000 DATA_DIR=/data UV_THREADPOOL_SIZE=16 MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=1048576 NODE_OPTIONS=--max-semi-space-size=8
COPY --from=packages /app/node_modules ./node_modules
COPY --from=page /app/dist ./dist
COPY package.json LICENSE NOTICE ./
COPY src ./src
COPY workers ./workers
RUN mkdir /data && chown 10001:10001 /data
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
CMD ["node", "src/main.ts"]
