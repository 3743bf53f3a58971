// schema.xml and the C headers describe the same bytes: every message, field, offset, width, size
// and enumeration is compared, in both directions.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const engine = new URL("../../../../engine/", import.meta.url);
const read = (path) => readFileSync(new URL(path, engine), "utf8");

const withoutComments = (c) => c.replace(/\/\*[^]*?\*\//g, "");
const headers = withoutComments(read("message/command.h") + read("message/event.h"));
const units = withoutComments(read("base/units.h"));
const sbe = withoutComments(read("message/sbe.h"));
const xml = read("message/schema.xml").replace(/<!--[^]*?-->/g, "");

// ---- what the XML says ----

const attributesOf = (text) =>
    Object.fromEntries(
        [...text.matchAll(/([\w:]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
    );

/** Elements of one name: attributes, and what lies between start and end tag. */
function elements(text, name) {
    const attributesOnly = `<${name}((?:\\s+[\\w:]+="[^"]*")*)\\s*`;
    const found = new RegExp(`${attributesOnly}(?:/>|>([^]*?)</${name}>)`, "g");
    return [...text.matchAll(found)].map(([, attributes, body]) => ({
        ...attributesOf(attributes),
        body: body ?? "",
    }));
}

const PRIMITIVE_BYTES = {
    char: 1,
    uint8: 1,
    uint16: 2,
    int32: 4,
    uint32: 4,
    uint64: 8,
    int64: 8,
};
const composites = elements(xml, "composite");
const types = new Map(
    elements(xml.replace(/<composite[^]*?<\/composite>/g, ""), "type").map((t) => [t.name, t]),
);
const enums = new Map(elements(xml, "enum").map((e) => [e.name, e]));
const sets = new Map(elements(xml, "set").map((s) => [s.name, s]));

/** Bytes of a type of the schema, by its name. */
function bytesOf(name) {
    if (name in PRIMITIVE_BYTES) return PRIMITIVE_BYTES[name];
    const composite = composites.find((c) => c.name === name);
    if (composite) {
        const members = elements(composite.body, "type");
        return members.reduce((sum, t) => sum + bytesOf(t.primitiveType), 0);
    }
    const type = types.get(name);
    if (type) return bytesOf(type.primitiveType) * Number(type.length ?? 1);
    const coded = enums.get(name) ?? sets.get(name);
    assert.ok(coded, `type ${name} is not defined`);
    return bytesOf(coded.encodingType);
}

/** Bytes of what a type is made of: of one element where it is an array. */
function elementBytes(name) {
    const type = types.get(name);
    return type ? bytesOf(type.primitiveType) : bytesOf(name);
}

/** Name -> {id, bytes, since, fields: name -> {offset, bytes, align, id, since}}; offsets from the
 *  block's begin. */
const schemaMessages = new Map(
    elements(xml, "sbe:message").map((message) => [
        message.name,
        {
            id: Number(message.id),
            bytes: Number(message.blockLength),
            since: Number(message.sinceVersion ?? 1),
            fields: new Map(
                elements(message.body, "field").map((f) => [
                    f.name,
                    {
                        offset: Number(f.offset),
                        bytes: bytesOf(f.type),
                        align: Math.min(8, elementBytes(f.type)),
                        id: Number(f.id),
                        since: Number(f.sinceVersion ?? 1),
                    },
                ]),
            ),
        },
    ]),
);

// ---- what the C headers say ----

const HEADER_BYTES = 8;
const constants = Object.fromEntries(
    [...(units + headers).matchAll(/([A-Z_\d]+) = (\d+)/g)].map(([, name, value]) => [
        name,
        Number(value),
    ]),
);
const C_BYTES = {
    char: 1,
    uint8_t: 1,
    uint16_t: 2,
    int32_t: 4,
    uint32_t: 4,
    uint64_t: 8,
    int64_t: 8,
};
for (const [, from, to] of (units + headers).matchAll(/typedef (\w+) (\w+);/g)) {
    C_BYTES[to] = C_BYTES[from];
}
const cSizes = new Map(
    [...headers.matchAll(/SBE_PIN_SIZE\(struct (\w+), (\d+)\)/g)].map(([, s, n]) => [s, Number(n)]),
);

/** Struct -> member -> bytes, paddings left out. */
const cStructs = new Map(
    [...headers.matchAll(/struct (\w+) \{\n([^]*?)\n\};/g)].map(([, name, body]) => [
        name,
        new Map(
            [...body.matchAll(/(?:struct )?(\w+)\s+(\w+)(?:\[(\w+)\])?;/g)]
                .filter(([, type, member]) => type !== "sbe_header" && !/^pad\d*$/.test(member))
                .map(([, type, member, count]) => [
                    member,
                    (C_BYTES[type] ?? cSizes.get(type)) * (count ? constants[count] : 1),
                ]),
        ),
    ]),
);
const cOffsets = new Map();
for (const [, struct, member, at] of headers.matchAll(/SBE_PIN\(struct (\w+), (\w+), (\d+)\)/g)) {
    if (!cOffsets.has(struct)) cOffsets.set(struct, new Map());
    cOffsets.get(struct).set(member, Number(at));
}

/** Names without prefix -> value, of one enum of a header. */
function cEnum(name, prefix) {
    const body = headers.match(new RegExp(`enum ${name} \\{([^]*?)\\}`))?.[1];
    assert.ok(body, `enum ${name}`);
    return Object.fromEntries(
        [...body.matchAll(/(\w+) = (?:'(.)'|(\d+))/g)].map(([, full, character, number]) => {
            assert.ok(full.startsWith(prefix), `${full} begins with ${prefix}`);
            return [full.slice(prefix.length), character ?? number];
        }),
    );
}

const schemaEnum = (name) =>
    Object.fromEntries(
        elements(enums.get(name).body, "validValue").map((v) => [v.name, v.body.trim()]),
    );

// ---- the comparison ----

const templates = (prefix, kind) =>
    Object.entries(cEnum(`${kind}_template`, prefix)).map(([name, id]) => [
        `${kind}_${name.toLowerCase()}`,
        Number(id),
    ]);
const cMessages = new Map([...templates("COMMAND_", "command"), ...templates("EVENT_", "event")]);

test("the schema has exactly the templates of the headers", () => {
    const inSchema = new Map([...schemaMessages].map(([name, message]) => [name, message.id]));
    assert.deepEqual(inSchema, cMessages);
    assert.ok(cMessages.size >= 45, "the headers were understood");
});

test("every message is as long as its struct", () => {
    for (const name of cMessages.keys()) {
        assert.ok(cSizes.has(name), `${name} is pinned`);
        assert.equal(schemaMessages.get(name).bytes + HEADER_BYTES, cSizes.get(name), name);
    }
    for (const struct of cSizes.keys()) {
        assert.ok(struct === "limits" || cMessages.has(struct), `${struct} is a message`);
    }
});

test("every field lies where its member lies and is as wide", () => {
    for (const name of cMessages.keys()) {
        const { fields } = schemaMessages.get(name);
        const offsets = new Map([...fields].map(([field, f]) => [field, f.offset + HEADER_BYTES]));
        const widths = new Map([...fields].map(([field, { bytes }]) => [field, bytes]));
        assert.deepEqual(offsets, cOffsets.get(name), `offsets of ${name}`);
        assert.deepEqual(widths, cStructs.get(name), `widths of ${name}`);
    }
    assert.equal([...cOffsets.keys()].filter((struct) => !cMessages.has(struct)).length, 0);
});

test("no two fields of a message overlap, none leaves its block, ids are its own", () => {
    for (const [name, message] of schemaMessages) {
        let end = 0;
        for (const [field, { offset, bytes, align }] of message.fields) {
            assert.ok(offset >= end, `${name}.${field} begins where another ends`);
            assert.equal(offset % align, 0, `${name}.${field} is aligned`);
            end = offset + bytes;
        }
        assert.ok(end <= message.bytes, `${name} holds its fields`);
        const ids = new Set([...message.fields.values()].map((f) => f.id));
        assert.equal(ids.size, message.fields.size, name);
    }
});

test("arrays have as many elements as their member", () => {
    const arrays = [...headers.matchAll(/^ +(?:\w+)\s+(\w+)\[([A-Z_]+)\];/gm)];
    assert.ok(arrays.length > 15, "the headers were understood");
    const rows = schemaMessages.get("command_set_schedule").fields;
    assert.equal(rows.get("second_of_day").bytes, 4 * constants.SCHEDULE_ROWS);
    assert.equal(rows.get("session").bytes, constants.SCHEDULE_ROWS);
    const levels = schemaMessages.get("command_set_breakers").fields;
    assert.equal(levels.get("halt_ms").bytes, 4 * constants.BREAKER_LEVELS);
    const table = schemaMessages.get("command_set_tick_table").fields;
    assert.equal(table.get("from_px").bytes, 8 * constants.TICK_TABLE_ROWS);
    for (const [name, type] of types) {
        const count = name.match(/_(\d+)$/)?.[1];
        if (count) assert.equal(type.length, count, name);
    }
});

test("what version 2 appended is marked, and nothing else", () => {
    const plain = (name) => name.replace(/^(command|event)_/, "").toUpperCase();
    const first = (name) => constants[`${plain(name)}_V1_BYTES`];
    const grown = [...schemaMessages.keys()].filter((name) => first(name));
    assert.deepEqual(grown, [
        "command_configure",
        "command_list_instrument",
        "command_new_order",
        "command_replace_order",
        "event_execution",
    ]);
    for (const [name, message] of schemaMessages) {
        assert.ok(message.since === 1 || message.since === 2, name);
        const end = (first(name) ?? Infinity) - HEADER_BYTES;
        for (const [field, { offset, since }] of message.fields) {
            assert.equal(since, offset >= end ? 2 : 1, `${name}.${field}`);
        }
    }
});

test("a field has one id wherever it appears", () => {
    const ids = new Map();
    for (const { fields } of schemaMessages.values()) {
        for (const [field, { id }] of fields) {
            assert.equal(ids.get(field) ?? id, id, field);
            ids.set(field, id);
        }
    }
    assert.equal(new Set(ids.values()).size, ids.size, "and no other has it");
});

test("a typedef of the headers is the same in the schema", () => {
    for (const [name, type] of types) {
        if (!/_t$/.test(name)) continue;
        assert.equal(bytesOf(type.primitiveType), C_BYTES[name], name);
    }
});

test("limits are the same numbers in the same order", () => {
    const members = elements(composites.find((c) => c.name === "limits").body, "type");
    assert.deepEqual(members.map((m) => m.name), [...cStructs.get("limits").keys()]);
    assert.equal(bytesOf("limits"), cSizes.get("limits"));
});

test("enumerations have the same values", () => {
    const prefixes = {
        side: "SIDE_",
        ord_type: "ORD_TYPE_",
        time_in_force: "TIF_",
        exec_type: "EXEC_",
        ord_status: "ORD_",
        last_liquidity: "LIQUIDITY_",
        stp: "STP_",
        session: "SESSION_",
        session_cause: "SESSION_BY_",
        transfer_reason: "TRANSFER_",
        limit_scope: "LIMIT_SCOPE_",
        command_template: "COMMAND_",
    };
    for (const [name, prefix] of Object.entries(prefixes)) {
        assert.deepEqual(schemaEnum(name), cEnum(name, prefix), name);
    }
    assert.deepEqual([...enums.keys()].sort(), [...Object.keys(prefixes), "reject"].sort());
});

test("reject reasons of the engine are those of the one table", () => {
    const rows = [...read("message/reject.h").matchAll(/REJECT\((\w+), (\d+),/g)];
    const reasons = rows.filter(([, , number]) => Number(number) < 100);
    assert.ok(reasons.length > 60, "the table was understood");
    const inTable = Object.fromEntries(reasons.map(([, name, number]) => [name, number]));
    assert.deepEqual(schemaEnum("reject"), inTable);
});

const schemaBits = (name) =>
    Object.fromEntries(
        elements(sets.get(name).body, "choice").map((c) => [c.name, String(1 << Number(c.body))]),
    );

test("instructions are the same bits", () => {
    assert.deepEqual(schemaBits("exec_inst"), cEnum("exec_inst", "EXEC_INST_"));
});

test("scopes are the same bits", () => {
    const { ALL: all, ...bits } = cEnum("scope", "SCOPE_");
    assert.deepEqual(schemaBits("scope"), bits);
    assert.equal(Number(all), Object.values(bits).reduce((sum, bit) => sum + Number(bit), 0));
});

test("schema id, version, byte order and header are those of sbe.h", () => {
    const [schema] = elements(xml.replace(/<\?xml[^>]*>/, ""), "sbe:messageSchema");
    const [, id, version] = sbe.match(/SBE_SCHEMA_ID = (0x[0-9a-f]+), SBE_SCHEMA_VERSION = (\d+)/);
    assert.equal(Number(schema.id), Number(id));
    assert.equal(schema.version, version);
    assert.equal(schema.byteOrder, "littleEndian");
    const members = elements(composites.find((c) => c.name === "messageHeader").body, "type");
    const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
    const body = sbe.match(/struct sbe_header \{([^]*?)\}/)[1];
    const inC = [...body.matchAll(/(\w+)_t (\w+);/g)].map(([, type, name]) => [camel(name), type]);
    assert.deepEqual(members.map((m) => [m.name, m.primitiveType]), inC);
});
