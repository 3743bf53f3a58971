// field.c, the table of fields, says what schema.xml says: every message, name, order and meaning.
// Where a field lies and how wide it is the compiler takes from the structs, which schema.test.mjs
// holds against the schema.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const engine = new URL("../../../../engine/", import.meta.url);
const read = (path) => readFileSync(new URL(path, engine), "utf8");

const table = read("message/field.c");
const xml = read("message/schema.xml").replace(/<!--[^]*?-->/g, "");

// What a type of the schema is shown as, unless the field's name is in `meanings`.
const kinds = {
    px_t: "PX",
    px_8: "PX",
    cash_t: "CASH",
    qty_t: "QTY",
    account_id_t: "ACCOUNT",
    user_id_t: "UINT",
    instrument_id_t: "INSTRUMENT",
    asset_t: "ASSET",
    order_id_t: "ORDER_ID",
    trade_id_t: "TRADE_ID",
    uint8: "UINT",
    uint8_8: "UINT",
    uint32_t: "UINT",
    uint32_3: "UINT",
    uint32_8: "UINT",
    uint64_t: "UINT",
    int32: "INT",
    int64_t: "INT",
    characters_12: "TEXT",
    characters_24: "TEXT",
    characters_36: "TEXT",
    name_32: "TEXT",
    sealed_60: "SECRET",
    limits: "LIMITS",
    side: "SIDE",
    ord_type: "ORD_TYPE",
    time_in_force: "TIME_IN_FORCE",
    exec_inst: "EXEC_INST",
    exec_type: "EXEC_TYPE",
    ord_status: "ORD_STATUS",
    last_liquidity: "LAST_LIQUIDITY",
    stp: "STP",
    session: "SESSION",
    session_8: "SESSION",
    session_cause: "SESSION_CAUSE",
    transfer_reason: "TRANSFER_REASON",
    limit_scope: "LIMIT_SCOPE",
    scope: "SCOPES",
    command_template: "COMMAND",
    reject: "REJECT",
};

// Fields that mean more than their type says.
const meanings = {
    currency: { type: "uint8", kind: "CURRENCY" },
    shortable: { type: "uint8", kind: "BOOL" },
    on_disconnect: { type: "uint8", kind: "BOOL" },
    may_short: { type: "uint8", kind: "BOOL" },
    final: { type: "uint8", kind: "BOOL" },
    on: { type: "uint8", kind: "BOOL" },
    engaged: { type: /^uint(8|32_t)$/, kind: "BOOL" },
    expire_ns: { type: "int64_t", kind: "TIME" },
    deadline_ns: { type: "int64_t", kind: "TIME" },
    qty: { type: "int64_t", kind: "ASSET_QTY" },
    balance: { type: "int64_t", kind: "ASSET_QTY" },
    from_balance: { type: "int64_t", kind: "ASSET_QTY" },
    to_balance: { type: "int64_t", kind: "ASSET_QTY" },
    id: { type: "uint32_t", kind: "SCOPED_ID" },
    scope: { type: "uint16", kind: "LIMIT_SCOPE" }, // of event_setting_changed
};

function kindOf(name, type) {
    const meaning = meanings[name];
    if (meaning && new RegExp(meaning.type).test(type)) return meaning.kind;
    assert.ok(type in kinds, `type ${type} of ${name} is known here`);
    return kinds[type];
}

const schemaMessages = new Map(
    [...xml.matchAll(/<sbe:message name="(\w+)"[^>]*>([^]*?)<\/sbe:message>/g)].map(
        ([, message, body]) => [
            message,
            [...body.matchAll(/<field name="(\w+)"[^>]*? type="(\w+)"/g)].map(([, name, type]) => ({
                name,
                kind: kindOf(name, type),
                isArray: /^(uint8|session|uint32|px)_\d$/.test(type),
            })),
        ],
    ),
);

const tableMessages = new Map(
    [
        ...table.matchAll(
            /#define MESSAGE struct (\w+)\nstatic const struct field (\w+)\[\] = \{([^]*?)\};/g,
        ),
    ].map(([, struct, name, body]) => {
        assert.equal(struct, name, "the rows are of the struct of their name");
        const rows = [...body.matchAll(/(FIELD|ARRAY)\((\w+), (\w+)\)/g)];
        return [
            name,
            rows.map(([, macro, member, kind]) => ({
                name: member,
                kind,
                isArray: macro === "ARRAY",
            })),
        ];
    }),
);

test("the table has the messages of the schema, and their fields in order, for what they are", () => {
    assert.ok(schemaMessages.size >= 45, "the schema was understood");
    const { limits, ...messages } = Object.fromEntries(tableMessages);
    assert.deepEqual(messages, Object.fromEntries(schemaMessages));
    const composite = xml.match(/<composite name="limits"[^]*?<\/composite>/)[0];
    const members = [...composite.matchAll(/<type name="(\w+)"/g)].map(([, name]) => name);
    assert.deepEqual(
        limits,
        members.map((name) => ({ name, kind: "UINT", isArray: false })),
    );
});

test("each message stands under its own template", () => {
    const rows = [...table.matchAll(/MESSAGE_FIELDS\((\w+), (\w+)\)/g)].slice(1);
    for (const [, template, name] of rows) assert.equal(template, name.toUpperCase());
    assert.deepEqual(
        rows.map(([, , name]) => name),
        [...schemaMessages.keys()],
    );
});

test("what is sealed or secret is marked so", () => {
    for (const [message, fields] of tableMessages) {
        for (const { name, kind } of fields) {
            const isSecret = /secret|password|hash|sealed/.test(name);
            assert.equal(kind === "SECRET", isSecret, `${message}.${name}`);
        }
    }
});

test("a quantity of an asset has its asset beside it", () => {
    for (const [message, fields] of tableMessages) {
        if (!fields.some(({ kind }) => kind === "ASSET_QTY")) continue;
        assert.equal(fields.filter(({ kind }) => kind === "ASSET").length, 1, message);
    }
});
