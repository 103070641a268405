# pantomime on an NVIDIA card. docs/gpu.md says how to build and run it.
# onnxruntime 1.30 is linked to CUDA 12 and cuDNN 9; the driver comes from the host (--gpus all).
FROM node:22-bookworm-slim AS node

FROM nvidia/cuda:12.8.1-cudnn-runtime-ubuntu24.04

RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates ffmpeg \
 && rm -rf /var/lib/apt/lists/*
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules/npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
 && ln -s /opt/pantomime/dist/pipeline/cli/main.js /usr/local/bin/pantomime

# Everything below belongs to a user without rights. Ubuntu's image has one with number 1000 already.
RUN install -d -o ubuntu -g ubuntu /opt/pantomime /models /data
USER ubuntu
WORKDIR /opt/pantomime
ENV HF_HOME=/models/huggingface PANTOMIME_CACHE=/models/pantomime

# Packages in a layer of their own: they change less often than the sources.
COPY --chown=ubuntu:ubuntu package.json package-lock.json .npmrc ./
RUN ONNXRUNTIME_NODE_INSTALL=skip npm ci --no-audit --no-fund

COPY --chown=ubuntu:ubuntu . .
# `setup cuda` shows what it gets and checks it; the 200 to 300 MB that it downloads do not stay in the image.
RUN npm run build \
 && chmod +x dist/pipeline/cli/main.js \
 && PANTOMIME_CACHE=/tmp/pantomime node dist/pipeline/cli/main.js setup cuda --yes \
 && rm -rf /tmp/pantomime

# Models and whatever is downloaded; pictures, clips and results.
VOLUME ["/models", "/data"]
WORKDIR /data
ENTRYPOINT ["pantomime"]
CMD ["doctor"]
