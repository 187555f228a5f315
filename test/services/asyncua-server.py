"""An OPC-UA server on asyncua, a stack that neither the gateway nor its simulators share.

Prints `ready <port>`, then obeys one JSON command a line on stdin:
  {"set": name, "value": number, "status": code, "time": ms}  sets a variable
  {"add": name}                                               adds one
and answers each with `done`. Arguments: the port, and for encryption a certificate, its key and its application URI.
"""

import asyncio
import json
import sys
from datetime import datetime, timedelta, timezone

from asyncua import Server, ua

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


async def main():
    port = int(sys.argv[1])
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/plant/")
    if len(sys.argv) > 2:
        certificate, key, uri = sys.argv[2:5]
        await server.set_application_uri(uri)
        await server.load_certificate(certificate)
        await server.load_private_key(key)
        server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
    else:
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    await server.register_namespace("urn:somebody:else")
    index = await server.register_namespace("http://acme.example/press")
    press = await server.nodes.objects.add_object(ua.NodeId("Press", index), ua.QualifiedName("Press", index))
    variables = {}

    async def add(name):
        variables[name] = await press.add_variable(
            ua.NodeId(f"Press.{name}", index), ua.QualifiedName(name, index), 0.0, ua.VariantType.Double
        )

    async with server:
        print("ready", port, flush=True)
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            command = json.loads(line)
            if "add" in command:
                await add(command["add"])
            else:
                if command["set"] not in variables:
                    await add(command["set"])
                value = ua.DataValue(
                    ua.Variant(command["value"], ua.VariantType.Double),
                    ua.StatusCode(command["status"]),
                    EPOCH + timedelta(milliseconds=command["time"]),
                )
                await server.write_attribute_value(variables[command["set"]].nodeid, value)
            print("done", flush=True)


asyncio.run(main())
