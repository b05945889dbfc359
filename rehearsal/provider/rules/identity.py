"""IAM, KMS and Systems Manager: what internal/service/{iam,kms,ssm}/*.go refuse before they call AWS."""

from __future__ import annotations

from rehearsal.provider.rules.vocabulary import (
    Rules,
    Test,
    Values,
    arn,
    between,
    both,
    conflict,
    iam_policy,
    items,
    json_text,
    length,
    one_of,
    pattern,
)  # fmt: skip

# iam/validate.go and role.go.
NAME = pattern(r"[\w+=,.@-]*", "must only contain alphanumeric characters, hyphens, underscores, and +=,.@")
PROSE = pattern(r"[\t\n\r -~\xa1-\xff]*", "must satisfy regular expression pattern: [\\t\\n\\r -~\\xa1-\\xff]*")
ALIAS: Test = pattern(r"alias/[a-zA-Z0-9/_-]+", "name must begin with 'alias/' and be comprised of [a-zA-Z0-9/_-]")


def _named(longest: int, longest_prefix: int) -> dict[str, Test]:
    """A name or its prefix: terraform appends 26 characters to one."""
    return {"name": both(length(1, longest), NAME), "namePrefix": both(length(1, longest_prefix), NAME)}


def _rotates(given: Values) -> list[tuple[str, str]]:
    """key.go: RequiredWith."""
    if not given.get("rotationPeriodInDays") or given.get("enableKeyRotation") is not None:
        return []
    return [("rotationPeriodInDays", '"rotation_period_in_days": all of `enable_key_rotation` must be specified')]


RULES = {
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": Rules(
        "iam/openid_connect_provider.go",
        {
            "clientIdLists": items(1, 100, length(1, 255)),
            "thumbprintLists": items(0, 5, length(40, 40)),
            "url": pattern(r"https://.+", "must be a https URL"),
        },
    ),
    "aws:iam/policy:Policy": Rules(
        "iam/policy.go", {**_named(128, 102), "policy": iam_policy}, (conflict("name", "namePrefix"),)
    ),
    "aws:iam/role:Role": Rules(
        "iam/role.go",
        {
            **_named(64, 38),
            "assumeRolePolicy": iam_policy,
            "description": both(length(0, 1000), PROSE),
            "maxSessionDuration": between(3600, 43200),
            "path": length(0, 512),
            "permissionsBoundary": arn,
        },
        (conflict("name", "namePrefix"),),
    ),
    "aws:iam/rolePolicy:RolePolicy": Rules(
        "iam/role_policy.go",
        {
            **_named(128, 102),
            "policy": iam_policy,
            "role": both(length(1, 128), NAME),
        },
        (conflict("name", "namePrefix"),),
    ),
    "aws:kms/alias:Alias": Rules(
        "kms/alias.go", {"name": ALIAS, "namePrefix": ALIAS}, (conflict("name", "namePrefix"),)
    ),
    "aws:kms/key:Key": Rules(
        "kms/key.go",
        {
            "customKeyStoreId": length(1, 22),
            "customerMasterKeySpec": one_of(
                "RSA_2048", "RSA_3072", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521",
                "ECC_SECG_P256K1", "SYMMETRIC_DEFAULT", "HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512", "SM2",
            ),
            "deletionWindowInDays": between(7, 30),
            "description": length(0, 8192),
            "keyUsage": one_of("SIGN_VERIFY", "ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"),
            "policy": json_text,
            "rotationPeriodInDays": between(90, 2560),
            "xksKeyId": length(1, 128),
        },
        (_rotates,),
    ),
    "aws:ssm/parameter:Parameter": Rules(
        "ssm/parameter.go",
        {
            "allowedPattern": length(0, 1024),
            "dataType": one_of("aws:ec2:image", "aws:ssm:integration", "text"),
            "description": length(0, 1024),
            "name": length(1, 2048),
            "tier": one_of("Standard", "Advanced", "Intelligent-Tiering"),
            "type": one_of("String", "StringList", "SecureString"),
        },
    ),
}  # fmt: skip
