# One image for web, dispatcher, collector, workers and migrations; docker-compose.yml says which.
ARG PYTHON=python:3.11-slim

FROM ${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
# Dependencies first, and without those of tests and embedded servers: a change of code keeps them
COPY pyproject.toml requirements/constraints.txt ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > needed.txt \
 && python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv install -c constraints.txt -r needed.txt \
 && find /opt/venv -path '*/scipy/*' -type d -name tests -prune -exec rm -rf {} + \
 && rm needed.txt constraints.txt
COPY manage.py README.md LICENSE ./
COPY loadlab loadlab
COPY runs runs
COPY workers workers
COPY templates templates
COPY static static
RUN pip --python /opt/venv install --no-deps --editable . \
 && SECRET_KEY=of-the-build DATABASE_URL=postgres://of@the/build STATIC_ROOT=/app/staticfiles \
    /opt/venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
 && /opt/venv/bin/python -m compileall -q loadlab runs workers

FROM ${PYTHON}
ARG LOADLAB_REVISION=""
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=loadlab.settings STATIC_ROOT=/app/staticfiles \
    LOADLAB_VAR=/app/var LOADLAB_REVISION=${LOADLAB_REVISION}
RUN groupadd --gid 10001 loadlab && useradd --uid 10001 --gid loadlab --no-create-home --home-dir /app/var loadlab \
 && install -d -o loadlab -g loadlab /app/var
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
USER loadlab
EXPOSE 8000
CMD ["loadlab", "--help"]
