"""IAM: what a request needs, what policies say about it, and the refusal in AWS's words.

`evaluate` decides on plain values and knows no cloud. `checks` turns a call into the permissions AWS asks for,
`sources` finds the policies that bear on it, and `enforce` puts them together for every call that passes the gateway.
"""
