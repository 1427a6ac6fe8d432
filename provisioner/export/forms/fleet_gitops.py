"""Fleet's GitOps: the part of a fleet's YAML that names the profiles by their paths.

``controls.apple_settings.configuration_profiles``. Fleet reads a dollar sign in YAML as a variable of the environment,
and a backslash before it as a plain dollar sign.
"""

import yaml

from provisioner.export.form import File, Form, Share, is_profile

_HEAD = "# Merge this into your fleet's YAML; the paths are relative to that file. Give each entry a label first.\n"


def _write(share: Share) -> list[File]:
    pieces = [piece for piece in share.pieces if is_profile(piece.fmt)]
    if not pieces:
        return []
    paths = [f"./{piece.folder}/{share.stem}-{piece.fmt.id}.{piece.fmt.suffix}" for piece in pieces]
    profiles = [{"path": path.replace("$", "\\$")} for path in paths]
    tree = {"controls": {"apple_settings": {"configuration_profiles": profiles}}}
    content = (_HEAD + yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)).encode()
    return [File("fleet.yml", "application/yaml", content, content, pieces[0].fmt.id)]


FORM = Form(
    id="fleet-gitops",
    title="the part of your fleet's YAML that names the profiles (GitOps)",
    wraps=is_profile,
    write=_write,
    for_person=False,
)
