"""Certificates for phones over TLS."""

import subprocess
from pathlib import Path


def make_certificates(folder: Path) -> None:
    """Two authorities (``ca``, ``other``), and of the first ``here``, for localhost, and ``elsewhere``.

    Each as ``.pem`` and ``.key``.
    """

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    for name in ("ca", "other"):
        openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN=Test {name}"),
            *("-keyout", f"{name}.key", "-out", f"{name}.pem"),
        )
    for name, whom in (("here", "DNS:localhost"), ("elsewhere", "DNS:sip.example.org")):
        openssl(
            *("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key"),
            *("-out", f"{name}.csr"),
        )
        (folder / f"{name}.ext").write_text(f"subjectAltName={whom}\n")
        openssl(
            *("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"),
            *("-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem"),
        )
