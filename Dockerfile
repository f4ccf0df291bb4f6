# The bot and its models in one image. PyPI's torch brings CUDA along, so a slim image and the host's NVIDIA runtime
# are enough. Build and start: docker compose up --build --detach
FROM python:3.12-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    EASEL_DATA=/data \
    container=docker \
    HF_HOME=/data/huggingface \
    XDG_CACHE_HOME=/data/cache \
    CUDA_CACHE_PATH=/data/cache/cuda

WORKDIR /app

# The packages first, so that a change of Easel's own code does not fetch gigabytes again.
# EXTRAS are words of pyproject.toml's optional dependencies: playground, to try Easel without a token; c2pa, to sign.
ARG EXTRAS=""
COPY pyproject.toml constraints.txt ./
RUN python -c "import os, tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; print(*p['dependencies'], *(d for e in os.environ['EXTRAS'].split() for d in p['optional-dependencies'][e]), sep='\n')" \
        > /tmp/requirements.txt \
    && pip install --constraint constraints.txt --requirement /tmp/requirements.txt \
    && rm /tmp/requirements.txt

COPY . .
# In place, because models.toml is looked for beside the code.
RUN pip install --no-deps --editable . \
    && useradd --create-home --uid 10001 easel \
    && install --directory --owner=easel --group=easel /data

USER easel
VOLUME /data
STOPSIGNAL SIGTERM

# The running bot writes into /data/heartbeat how it fares, every 15 seconds. Loading the first model may take a while.
HEALTHCHECK --interval=30s --timeout=10s --start-period=2m --retries=3 CMD ["python", "-m", "bot", "health"]

ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]
