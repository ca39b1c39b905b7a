"""Judgements of the safetensors library on headers, for reference.test.ts: python vectors.py > vectors.json

Each file has a parameter `w` beside its oddity, so that whoever reads it as a checkpoint finds something to train.
"""

import base64
import json
import sys

import safetensors

W = '"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
# Every type that the library knows, and its bits.
DTYPES = {
    **{name: 8 for name in ("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E5M2FNUZ", "F8_E4M3FNUZ")},
    **{name: 16 for name in ("I16", "U16", "F16", "BF16")},
    **{name: 32 for name in ("I32", "U32", "F32")},
    **{name: 64 for name in ("I64", "U64", "F64", "C64")},
    **{"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6},
}


def tensor(name='"x"', dtype='"F32"', shape="[1]", offsets="[4,8]", more=""):
    return f'{{{W},{name}:{{"dtype":{dtype},"shape":{shape},"data_offsets":{offsets}{more}}}}}'


def headers():
    """Headers by the words for what is odd in them, each with the bytes of data behind it, unless those are eight."""
    yield "nothing odd", tensor()
    for where, text in {"before": "{0}{1}", "behind": "{1}{0}"}.items():
        for name, space in {"a space": " ", "a tab": "\t", "a line": "\n", "a return": "\r"}.items():
            yield f"{name} {where} the brace", text.format(space, tensor())
        for name, space in {"NUL": "\0", "a form feed": "\f", "a no-break space": "\u00a0", "a BOM": "\ufeff"}.items():
            yield f"{name} {where} the brace", text.format(space, tensor())
    yield "white space everywhere", json.dumps(json.loads(tensor()), indent="\t")
    yield "letters behind the brace", tensor() + "x"
    yield "a second object", tensor() + "{}"

    yield "a further field", tensor(more=',"stride":[1]')
    yield "a further field in front", f'{{{W},"x":{{"a":null,"dtype":"F32","shape":[1],"data_offsets":[4,8]}}}}'
    for name, value in {
        "an object": "{}",
        "a deep list": "[" * 120 + "]" * 120,
        "a list deeper than 127": "[" * 200 + "]" * 200,
        "1e999": "1e999",
        "-0.0": "-0.0",
        "2 ** 64": "18446744073709551616",
        "half a character": '"\\ud800"',
        "two equal keys": '{"a":1,"a":2}',
        "a control character": '"\x01"',
        "a leading zero": "01",
        "a plus": "+1",
        "a bare point": "1.",
        "NaN": "NaN",
        "a trailing comma": "[1,]",
        "a wrong escape": '"\\x"',
        "single quotes": "'a'",
    }.items():
        yield f"a further field of {name}", tensor(more=f',"y":{value}')
    for field in ("dtype", "shape", "data_offsets"):
        fields = {"dtype": '"F32"', "shape": "[1]", "data_offsets": "[4,8]"}
        wanted = fields.pop(field)
        yield f"no {field}", f'{{{W},"x":{{{",".join(f"{json.dumps(k)}:{v}" for k, v in fields.items())}}}}}'
        yield f"{field} twice", tensor(more=f',"{field}":{wanted}')
        yield f"{field} null", tensor(**{{"data_offsets": "offsets"}.get(field, field): "null"})
        yield f"{field} by an escape", tensor().replace(f'"{field}"', f'"\\u{ord(field[0]):04x}{field[1:]}"')
    yield "an entry in a list", f'{{{W},"x":["F32",[1],[4,8]]}}'
    for value in ("null", "[]", "7", '"F32"', "{}", "true"):
        yield f"an entry of {value}", f'{{{W},"x":{value}}}'

    for size in ("1.0", "1e0", "-0", "-1", "0.5", "01", '"1"', "null", "[1]", "true", "1e2"):
        yield f"a size of {size}", tensor(shape=f"[{size}]")
    for offset in ("4.0", "4e0", "-0", "-4", "04", '"4"', "null"):
        yield f"an offset of {offset}", tensor(offsets=f"[{offset},8]")
    yield "a size of 2 ** 63", tensor(shape="[9223372036854775808]")
    yield "a size of 2 ** 64", tensor(shape="[18446744073709551616]")
    yield "sizes whose product is 2 ** 64", tensor(shape="[4294967296,4294967296]")
    yield "sizes whose product is beyond, and none", tensor(shape="[4294967296,4294967296,0]", offsets="[4,4]"), 4
    yield "none of 2 ** 60", tensor(shape="[0,1152921504606846976]", offsets="[4,4]"), 4
    yield "none of 2 ** 32", tensor(shape="[0,4294967296]", offsets="[4,4]"), 4
    yield "a shape that is a number", tensor(shape="1")
    yield "a shape that is an object", tensor(shape="{}")
    yield "a scalar", tensor(shape="[]")
    yield "a thousand dimensions", tensor(shape=json.dumps([1] * 1000))
    for count in (0, 1, 3):
        yield f"{count} offsets", tensor(offsets=json.dumps([4, 8, 8][:count]))
    yield "offsets that are an object", tensor(offsets='{"0":4,"1":8}')
    yield "offsets in reverse", tensor(offsets="[8,4]")
    yield "offsets beyond the end", tensor(offsets="[8,12]")
    yield "a hole", tensor(offsets="[8,12]"), 12
    yield "an overlap", tensor(offsets="[0,4]"), 4
    yield "an overlap by half", tensor(offsets="[2,6]"), 6
    yield "a byte too many", tensor(), 9
    yield "a byte too few", tensor(), 7
    yield "fewer bytes than its type has", tensor(offsets="[4,7]"), 7
    yield "an empty tensor", tensor(shape="[0]", offsets="[4,4]"), 4
    yield "an empty tensor in front", tensor(shape="[3,0]", offsets="[0,0]"), 4
    yield "an empty tensor within another", tensor(shape="[0]", offsets="[2,2]"), 4
    yield "an empty tensor with a byte", tensor(shape="[0]", offsets="[4,5]"), 5
    yield "names in another order", f'{{"x":{{"dtype":"F32","shape":[1],"data_offsets":[4,8]}},{W}}}'

    for dtype, bits in DTYPES.items():
        count = {4: 2, 6: 4}.get(bits, 1)
        end = 4 + count * bits // 8
        yield f"{count} of {dtype}", tensor(dtype=f'"{dtype}"', shape=f"[{count}]", offsets=f"[4,{end}]"), end
    yield "one of F4, in half a byte", tensor(dtype='"F4"', offsets="[4,4]"), 4
    yield "one of F4, in a byte", tensor(dtype='"F4"', offsets="[4,5]"), 5
    for dtype in ("f32", "F8", "I4", "", "F32 ", "C128", "toString"):
        yield f"dtype {json.dumps(dtype)}", tensor(dtype=json.dumps(dtype))
    yield "a dtype by an escape", tensor(dtype='"\\u004632"')
    yield "a dtype of 7", tensor(dtype="7")
    yield "a dtype as an object", tensor(dtype='{"F32":null}')

    for name, value in {
        "an empty name": '""',
        "half a character": '"\\ud800"',
        "the other half": '"\\udc00"',
        "halves in the wrong order": '"\\udc00\\ud800"',
        "a whole pair": '"\\ud834\\udd1e"',
        "NUL": '"\\u0000"',
        "a bare NUL": '"\0"',
        "a bare line": '"\n"',
        "DEL": '"\x7f"',
        "all escapes": '"\\"\\\\\\/\\b\\f\\n\\r\\t"',
        "a backslash at the end": '"\\\\"',
        "a capital escape": '"\\U0041"',
        "half an escape": '"\\u00"',
        "__proto__": '"__proto__"',
        "the other's name": '"w"',
        "the other's name, by an escape": '"\\u0077"',
    }.items():
        yield f"a name of {name}", tensor(name=value)
    yield "a name without quotes", tensor(name="x")

    for value in (
        "null",
        "{}",
        "[]",
        "7",
        '"pt"',
        "true",
        '{"a":"b"}',
        '{"a":null}',
        '{"a":1}',
        '{"a":{}}',
        '{"a":["b"]}',
        '{"a":"b","a":"c"}',
        '{"":""}',
        '{"a":"\\ud800"}',
        '{"format":"pt","__metadata__":"x"}',
    ):
        yield f"metadata of {value}", f'{{"__metadata__":{value},{W}}}', 4
    yield "metadata twice", f'{{"__metadata__":{{}},{W},"__metadata__":{{}}}}', 4
    yield "metadata at the end", f'{{{W},"__metadata__":{{"a":"b"}}}}', 4
    yield "metadata by an escape", f'{{{W},"\\u005f_metadata__":{{"a":"b"}}}}', 4

    yield "a list of the header", f"[{tensor()}]"
    yield "the header in quotes", json.dumps(tensor())
    yield "no end", tensor()[:-1]
    yield "a comma too many", tensor()[:-1] + ",}"
    yield "a comma too few", tensor().replace('},"x"', '}"x"')
    yield "a colon too few", tensor().replace('"x":', '"x"')
    yield "a comment", "{/**/" + tensor()[1:]
    yield "a byte that isn't UTF-8", tensor(name='"é"').encode("latin-1")
    yield "an overlong code", tensor(name='"?"').encode().replace(b"?", b"\xc0\xaf")
    yield "a surrogate in UTF-8", tensor(name='"?"').encode().replace(b"?", b"\xed\xa0\x80")


def lengths():
    """Whole files whose length of the header is odd."""
    header = tensor().encode()
    for name, length in {
        "none": 0,
        "one too few": len(header) - 1,
        "one too many": len(header) + 1,
        "the whole file": len(header) + 8,
        "100 MB": 100_000_000,
        "100 MB and one": 100_000_001,
        "2 ** 63": 2**63,
        "2 ** 64 - 1": 2**64 - 1,
    }.items():
        yield f"a length of {name}", length.to_bytes(8, "little") + header + bytes(range(8))
    for size in (0, 7, 8):
        yield f"{size} bytes", bytes(size)


def judged(name: str, file: bytes) -> dict:
    vector = {"name": name, "file": base64.b64encode(file).decode()}
    try:
        tensors = safetensors.deserialize(file)
    except safetensors.SafetensorError as error:
        return {**vector, "refused": str(error)}
    found = {key: [info["dtype"], info["shape"], bytes(info["data"]).hex()] for key, info in tensors}
    return {**vector, "tensors": found}


def vectors():
    for name, header, *size in headers():
        header = header if isinstance(header, bytes) else header.encode()
        data = bytes(range(1, (size or [8])[0] + 1))
        yield judged(name, len(header).to_bytes(8, "little") + header + data)
    for name, file in lengths():
        yield judged(name, file)


if __name__ == "__main__":
    json.dump({"version": safetensors.__version__, "vectors": list(vectors())}, sys.stdout, indent=1, ensure_ascii=True)
    print()
