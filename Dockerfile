# The server with the embedded language model on CPU; a GPU's vLLM runs beside it (see compose.yaml).
FROM python:3.12-slim

# LightGBM and FAISS need the OpenMP runtime.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 segassist

WORKDIR /app
# torch comes first and pinned: an unpinned torch may bring gigabytes of CUDA libraries. A change of code fetches nothing.
COPY constraints.txt .
RUN pip install --no-cache-dir --constraint constraints.txt torch
COPY . .
RUN pip install --no-cache-dir --constraint constraints.txt . \
    && install --directory --owner segassist --group segassist /data

USER segassist
ENV SEGASSIST_CACHE=/data/cache
VOLUME /data
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=5m \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
CMD ["segassist", "serve", "--host", "0.0.0.0", "--workspace", "/data/workspace"]
