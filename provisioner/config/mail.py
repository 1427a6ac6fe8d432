"""The settings of sending: which mail server takes the invitations, how this service signs in there, and how fast.

They are checked against each other only where mails are sent (``provisioner.mailing``): a service that sends none needs
none of them. The port is the catalogue's unless it is set: it is a fact of the cloud.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from provisioner.config.values import About, Count, Location, parse_address, parse_line, parse_word


class MailSettings(BaseModel):
    """How mails are sent, all checked one by one."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)

    smtp_provider: Annotated[
        str,
        Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$"),
        About(
            "The cloud that `send` sends through: its mail server, its sign-in and its scope.",
            expected="the id of a mail provider, such as office365",
        ),
    ] = "office365"
    smtp_host: Annotated[
        str,
        Field(pattern=r"^[0-9A-Za-z._-]*$"),
        About(
            "The mail server that `send` hands its mails to.",
            expected="a host name",
            default="that of `smtp_provider`",
        ),
    ] = ""
    smtp_port: Annotated[
        Annotated[Count, Field(ge=1, le=65535)] | None,
        About(
            "TCP port of the mail server.",
            expected="a number from 1 to 65535",
            default="that of submission",
        ),
    ] = None
    smtp_security: Annotated[
        Literal["starttls", "tls"],
        BeforeValidator(parse_word),
        About("How the mail server is spoken to; never in plaintext.", expected="starttls or tls"),
    ] = "starttls"
    smtp_ca_file: Annotated[
        Location | None,
        About(
            "The authority of a mail server of your own.",
            expected="the path of a PEM file",
            default="those that this machine trusts",
        ),
    ] = None
    smtp_username: Annotated[
        str,
        About("The mailbox to sign in as.", expected="a user name", default="`smtp_from`"),
    ] = ""
    smtp_password: Annotated[
        SecretStr | None,
        About("Its password, where the mail server takes one.", expected="a text", default="none"),
    ] = None
    smtp_from: Annotated[
        str,
        AfterValidator(parse_address),
        About("The address that mails come from; `send` needs it.", expected="an e-mail address", default="none"),
    ] = ""
    smtp_from_name: Annotated[
        str,
        AfterValidator(parse_line),
        About("The name beside it.", expected="one line", default="the organisation's name"),
    ] = ""
    smtp_tenant: Annotated[
        str,
        Field(pattern=r"^[A-Za-z0-9.-]*$"),
        About(
            "The tenant of the application that `send` signs in as (OAuth2).",
            expected="a tenant id or one of its domains",
            default="none",
        ),
    ] = ""
    smtp_client_id: Annotated[
        str,
        Field(pattern=r"^[A-Za-z0-9-]*$"),
        About("That application's client id.", expected="an application id", default="none"),
    ] = ""
    smtp_client_secret: Annotated[
        SecretStr | None,
        About("Its secret.", expected="a text", default="none"),
    ] = None
    smtp_client_certificate: Annotated[
        Location | None,
        About(
            "Its certificate with the private key, instead of a secret.",
            expected="the path of a PEM file",
            default="none",
        ),
    ] = None
    smtp_scope: Annotated[
        str,
        Field(pattern=r"^(https://[!-~]+)?$"),
        About(
            "The scope of its access token.",
            expected="a URL that ends in /.default",
            default="that of `smtp_provider`",
        ),
    ] = ""
    mail_per_minute: Annotated[
        Count,
        Field(ge=1, le=100_000),
        About("Mails that `send` sends in a minute at most.", expected="a number from 1 to 100000"),
    ] = 30
    mail_per_day: Annotated[
        Count,
        Field(ge=1, le=100_000_000),
        About("Mails that `send` sends in any 24 hours at most.", expected="a number from 1 to 100000000"),
    ] = 10_000
