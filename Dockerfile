# The grader of one assignment in a container: what Gradescope runs, for its own Docker option, Slurm and Kubernetes alike.
# docs/deployment.md says how each of them calls it. The image holds hidden tests, solutions and the course secret: keep
# it in a private registry.
#
#   make autograder
#   docker build --build-arg SLUG=vae_ddpm_cfg --tag grader:vae_ddpm_cfg .
#   docker run --rm --network none --memory 1g --env SUBMISSION_ID=123456 \
#       --volume "$PWD/submission:/autograder/submission:ro" --volume "$PWD/results:/autograder/results" grader:vae_ddpm_cfg
#
# For Gradescope's Docker option: --build-arg BASE=gradescope/autograder-base:ubuntu-22.04
ARG BASE=debian:bookworm-slim
FROM ${BASE}
ARG SLUG
COPY dist/gradescope/${SLUG}.zip /autograder/source.zip
# setup.sh puts Python into /opt/grader, which every user may read: so the grader, which starts as root, can run student code
# as an unprivileged user.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends unzip \
    && unzip -q /autograder/source.zip -d /autograder/source \
    && rm /autograder/source.zip \
    && bash /autograder/source/setup.sh \
    && cp /autograder/source/run_autograder /autograder/run_autograder \
    && mkdir --parents /autograder/submission /autograder/results \
    && rm -rf /var/lib/apt/lists/*
CMD ["/autograder/run_autograder"]
