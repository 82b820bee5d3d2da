"""Which distribution or system package brings a module, a program or a library.

Names that are known to be right only. What is not here is not guessed from here: a name that
somebody else registered would run their code.
"""

from __future__ import annotations

DISTRIBUTIONS = {
    "Crypto": "pycryptodome",
    "Cryptodome": "pycryptodomex",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyOpenSSL",
    "PIL": "Pillow",
    "Xlib": "python-xlib",
    "_cffi_backend": "cffi",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "discord": "discord.py",
    "distutils": "setuptools",
    "docx": "python-docx",
    "dns": "dnspython",
    "dotenv": "python-dotenv",
    "fitz": "PyMuPDF",
    "flask_cors": "Flask-Cors",
    "flask_login": "Flask-Login",
    "flask_sqlalchemy": "Flask-SQLAlchemy",
    "git": "GitPython",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "ldap": "python-ldap",
    "lxml_html_clean": "lxml-html-clean",
    "magic": "python-magic",
    "markdown": "Markdown",
    "mpl_toolkits": "matplotlib",
    "multipart": "python-multipart",
    "nacl": "PyNaCl",
    "pkg_resources": "setuptools<81",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "pydantic_settings": "pydantic-settings",
    "pytest_asyncio": "pytest-asyncio",
    "pytest_cov": "pytest-cov",
    "pytest_mock": "pytest-mock",
    "pythonjsonlogger": "python-json-logger",
    "rest_framework": "djangorestframework",
    "ruamel": "ruamel.yaml",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "socks": "PySocks",
    "telegram": "python-telegram-bot",
    "typing_extensions": "typing-extensions",
    "usb": "pyusb",
    "websocket": "websocket-client",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}
"""Python modules whose distribution has another name."""

_SAME = """
    aiofiles aiohttp alembic altair anyio apscheduler arrow asgiref asyncpg babel bcrypt black
    bleach blinker bokeh boto3 botocore bottle cachetools celery certifi cffi chardet
    charset_normalizer click cloudpickle colorama coverage croniter cryptography cycler cython
    dask dataclasses_json decorator defusedxml deepdiff dill distro django docker docutils
    docopt ecdsa elasticsearch email_validator emoji eventlet execnet faker fastapi feedparser
    filelock flake8 flask fonttools freezegun frozenlist fsspec furl gensim gevent greenlet grpc
    gunicorn h11 h2 h5py html5lib httpcore httptools httpx humanize hypothesis idna imageio
    importlib_metadata importlib_resources inflection iniconfig isort itsdangerous jinja2
    jmespath joblib jsonpatch jsonpath_ng jsonschema keyring kombu lark librosa loguru lxml mako
    markupsafe marshmallow matplotlib mistune mock more_itertools moto mpmath msgpack multidict
    mypy natsort networkx nltk numba numexpr numpy oauthlib openai openpyxl orjson packaging
    pandas paramiko parameterized parso passlib pathspec peewee pendulum pexpect pint
    platformdirs plotly pluggy ply polars prometheus_client psutil psycopg ptyprocess pyarrow
    pyasn1 pycparser pydantic pydot pyflakes pygame pygments pylint pymongo pymysql pyparsing
    pypdf pyperclip pytest pytz pywt qrcode rapidfuzz redis regex requests requests_mock
    requests_oauthlib responses respx rich scipy scrapy seaborn semver sentry_sdk setuptools
    shapely simplejson six sniffio sortedcontainers soupsieve sphinx sqlalchemy sqlmodel
    sqlparse starlette statsmodels stripe structlog sympy tabulate tenacity testcontainers
    textual tiktoken time_machine toml tomli tomli_w tomlkit toolz torch tornado tox tqdm
    traitlets transformers trio typer tzdata tzlocal ujson unidecode unidiff urllib3 uvicorn
    validators voluptuous watchdog watchfiles wcwidth websockets werkzeug wheel wrapt wtforms
    xarray xlrd xlsxwriter xmltodict yarl zipp
"""
SAME = frozenset(_SAME.split())
"""Python modules whose distribution has their own name."""

TOOLS = {
    "alembic": "alembic",
    "bandit": "bandit",
    "black": "black",
    "coverage": "coverage",
    "cython": "cython",
    "flake8": "flake8",
    "hatch": "hatch",
    "isort": "isort",
    "meson": "meson",
    "mypy": "mypy",
    "nose2": "nose2",
    "nox": "nox",
    "pdm": "pdm",
    "poetry": "poetry",
    "py.test": "pytest",
    "pylint": "pylint",
    "pyright": "pyright",
    "pytest": "pytest",
    "ruff": "ruff",
    "tox": "tox",
    "uv": "uv",
}
"""Programs that a Python distribution brings."""

PROGRAMS = {
    "ag": "silversearcher-ag",
    "autoconf": "autoconf",
    "automake": "automake",
    "bats": "bats",
    "bc": "bc",
    "bison": "bison",
    "bzip2": "bzip2",
    "c++": "g++",
    "cargo": "cargo",
    "cc": "gcc",
    "clang": "clang",
    "cmake": "cmake",
    "convert": "imagemagick",
    "ctest": "cmake",
    "curl": "curl",
    "diff": "diffutils",
    "dot": "graphviz",
    "ffmpeg": "ffmpeg",
    "file": "file",
    "flex": "flex",
    "g++": "g++",
    "gcc": "gcc",
    "gdb": "gdb",
    "git": "git",
    "go": "golang-go",
    "gpg": "gnupg",
    "gradle": "gradle",
    "java": "default-jdk-headless",
    "javac": "default-jdk-headless",
    "jq": "jq",
    "less": "less",
    "lsof": "lsof",
    "lua": "lua5.4",
    "m4": "m4",
    "make": "make",
    "gmake": "make",
    "mvn": "maven",
    "ninja": "ninja-build",
    "node": "nodejs",
    "npm": "npm",
    "npx": "npm",
    "openssl": "openssl",
    "pandoc": "pandoc",
    "parallel": "parallel",
    "patch": "patch",
    "perl": "perl",
    "php": "php-cli",
    "pip": "python3-pip",
    "pip3": "python3-pip",
    "pkg-config": "pkg-config",
    "protoc": "protobuf-compiler",
    "prove": "perl",
    "psql": "postgresql-client",
    "python3": "python3",
    "redis-server": "redis-server",
    "rsync": "rsync",
    "ruby": "ruby",
    "rustc": "rustc",
    "shellcheck": "shellcheck",
    "sqlite3": "sqlite3",
    "ssh": "openssh-client",
    "strace": "strace",
    "swig": "swig",
    "tclsh": "tcl",
    "tree": "tree",
    "unzip": "unzip",
    "valgrind": "valgrind",
    "wget": "wget",
    "which": "debianutils",
    "xmllint": "libxml2-utils",
    "xxd": "xxd",
    "xz": "xz-utils",
    "zip": "zip",
    "zsh": "zsh",
}
"""Programs that a package of Debian or Ubuntu brings."""

LIBRARIES = {
    "Python.h": "python3-dev",
    "bzlib.h": "libbz2-dev",
    "cairo": "libcairo2-dev",
    "curl/curl.h": "libcurl4-openssl-dev",
    "ffi.h": "libffi-dev",
    "gmp.h": "libgmp-dev",
    "jpeglib.h": "libjpeg-dev",
    "libGL.so.1": "libgl1",
    "libSM.so.6": "libsm6",
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libXrender.so.1": "libxrender1",
    "libcairo.so.2": "libcairo2",
    "libcrypto.so": "libssl-dev",
    "libcurl.so": "libcurl4-openssl-dev",
    "libffi.so": "libffi-dev",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgomp.so.1": "libgomp1",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libmagic.so.1": "libmagic1",
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpq": "libpq-dev",
    "libpq-fe.h": "libpq-dev",
    "libpq.so": "libpq-dev",
    "libpq.so.5": "libpq5",
    "libsndfile.so.1": "libsndfile1",
    "libsqlite3.so": "libsqlite3-dev",
    "libssl.so": "libssl-dev",
    "libxml/parser.h": "libxml2-dev",
    "libxml/xmlversion.h": "libxml2-dev",
    "libxml2.so": "libxml2-dev",
    "libxslt/xsltconfig.h": "libxslt1-dev",
    "libxslt.so": "libxslt1-dev",
    "libz.so": "zlib1g-dev",
    "libzmq.so.5": "libzmq5",
    "lzma.h": "liblzma-dev",
    "mysql_config": "default-libmysqlclient-dev",
    "ncurses.h": "libncurses-dev",
    "openssl": "libssl-dev",
    "openssl/ssl.h": "libssl-dev",
    "pg_config": "libpq-dev",
    "png.h": "libpng-dev",
    "readline/readline.h": "libreadline-dev",
    "sqlite3.h": "libsqlite3-dev",
    "yaml.h": "libyaml-dev",
    "zlib.h": "zlib1g-dev",
}
"""Libraries, headers and what stands for them, that a package of Debian or Ubuntu brings."""

NODE_TOOLS = {
    "ava": "ava",
    "c8": "c8",
    "eslint": "eslint",
    "jest": "jest",
    "mocha": "mocha",
    "nyc": "nyc",
    "prettier": "prettier",
    "tsc": "typescript",
    "tsx": "tsx",
    "vite": "vite",
    "vitest": "vitest",
    "webpack": "webpack",
}
"""Programs that an npm package brings, where the project's package.json names it."""
