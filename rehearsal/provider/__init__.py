"""A stand-in for Pulumi's AWS provider: same protocol, tokens, inputs and outputs, made with botocore.

`python -m rehearsal.provider` prints its port as any provider plugin does. `server` speaks gRPC, `lifecycle` gives
the provider's verbs their meaning, `types/` holds one file per service with the resource types.
"""

VERSION = "7.51.1"
