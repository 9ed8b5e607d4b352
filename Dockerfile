# vaec as an image: `docker build -t vaec .`, then in a folder with model.vae
#   docker run --rm -v "$PWD:/models" vaec run model.vae train
# For Debian 13 instead of 12, add --build-arg DEBIAN=13-slim.
ARG DEBIAN=12-slim

# This stage builds the package of compiler and runtime, without tests.
FROM debian:${DEBIAN} AS build
RUN apt-get update && apt-get install -y --no-install-recommends dpkg-dev git ca-certificates
COPY . /src
WORKDIR /src
RUN .ci/set_up release && cd build/release && cpack -G DEB && mkdir /package && mv vaec_*.deb /package/

# apt also installs the packages that vaec depends on.
FROM debian:${DEBIAN}
COPY --from=build /package /package
RUN apt-get update \
    && apt-get install -y --no-install-recommends /package/vaec_*.deb \
    && rm -rf /package /var/lib/apt/lists/*
WORKDIR /models
ENTRYPOINT ["vaec"]
CMD ["--help"]
