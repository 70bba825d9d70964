"""The certificates that are trusted: httpx, and requests in OpenTelemetry's exporter, read these variables themselves.

| variable                                | value                                                         |
|-----------------------------------------|---------------------------------------------------------------|
| `SSL_CERT_FILE`                         | a file with at least one certificate                          |
| `SSL_CERT_DIR`                          | a directory, or several with `:` between them, one of which   |
|                                         | exists; of no effect beside the file                          |
| `REQUESTS_CA_BUNDLE`, `CURL_CA_BUNDLE`  | a file with at least one certificate, or a directory          |
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

_FILE, _DIRECTORY = "SSL_CERT_FILE", "SSL_CERT_DIR"
_OF_EXPORTERS = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_EXAMPLES = "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs"


def faults_in_certificates(environment: Mapping[str, str], *, exporting: bool) -> Iterator[tuple[str, str, str]]:
    """Yield the name of each wrong variable, what is wrong with it, and an example.

    Those programs do not drop spaces around a value, so none is dropped here.
    """
    file, directory = environment.get(_FILE, ""), environment.get(_DIRECTORY, "")
    if file and (fault := _fault_of_file(file)):
        yield _FILE, fault, _EXAMPLES[0]
    if directory and not file and not any(Path(part).is_dir() for part in directory.split(":") if part):
        yield _DIRECTORY, "no such directory", _EXAMPLES[1]
    for name in _OF_EXPORTERS if exporting else ():
        text = environment.get(name, "")
        if text and not Path(text).is_dir() and (fault := _fault_of_file(text)):
            yield name, fault, _EXAMPLES[0]


def _fault_of_file(path: str) -> str:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        return "the file holds no certificate in PEM form"
    except (OSError, ValueError) as error:
        return f"the file cannot be read ({getattr(error, 'strerror', None) or 'not a path'})"
    return ""
