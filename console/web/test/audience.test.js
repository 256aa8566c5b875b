import assert from "node:assert/strict";
import test from "node:test";
import { firstIds, linesOf, refusal } from "../src/audience/file.js";
import { RuleForm } from "../src/audience/rule.js";

test("the first ids of a list are those that the server reads", async () => {
  for (const [text, csv, want] of [
    ["a\r\n\r\nb\n", false, ["a", "b"]],
    ["\ufeffa\nb", false, ["a", "b"]],
    ["uid,plan\na,pro\n", true, ["a"]],
    ["User_ID\na\n", true, ["a"]],
    ["uid\na\n", false, ["uid", "a"]],
    [`"a ""b"", c",1\nd\n`, true, [`a "b", c`, "d"]],
    ["1\n2\n3\n4\n5\n6\n", false, ["1", "2", "3", "4", "5"]],
    ["", true, []],
  ]) assert.deepEqual(await firstIds(new Blob([text]), csv), want, JSON.stringify(text));
  const long = "x".repeat(5000);
  assert.deepEqual(await firstIds(new Blob(["a\n" + long]), false), ["a"]); // what may be cut is not shown
});

test("files that are no lists", async () => {
  for (const [bytes, want] of [[[], "empty"], [[0x1f, 0x8b, 8], "compressed"], [[0x50, 0x4b, 3, 4], "compressed"], [[0xff, 0xfe, 0x61, 0], "utf16"], [[0x61], ""]]) {
    assert.equal(await refusal(new Blob([new Uint8Array(bytes)])), want);
  }
  assert.equal(await refusal(/** @type {any} */ ({ size: 2 ** 31 + 1 })), "large");
});

test("broken lines are found by their number", async () => {
  const found = await linesOf(new Blob(["one\r\ntwo\n\n", "f", "our\nfive"]), [2, 3, 4, 5, 9]);
  assert.deepEqual([...found], [[2, "two"], [3, ""], [4, "four"], [5, "five"]]);
  const many = Array.from({ length: 300_000 }, (_, i) => "line " + (i + 1)).join("\n");
  assert.deepEqual([...await linesOf(new Blob([many]), [1, 299_999])], [[1, "line 1"], [299_999, "line 299999"]]);
});

test("a rule while it is edited", () => {
  let drawn = 0;
  const form = new RuleForm(/** @type {any} */ ({ may: () => true }), () => drawn++, { all: [], any: [], none: [{ attr: "plan", op: "eq", value: "pro" }] });
  assert.ok(!form.isDirty);
  form.errors = [{ pointer: "/rule/none/0/value", detail: "wrong" }, { pointer: "/rule/all/0", detail: "other" }];
  form.set("/rule/none/0", { attr: "plan", op: "eq", value: "team" });
  assert.deepEqual([form.isDirty, drawn, form.error("/rule/none/0/value"), form.errorsBelow("/rule").length, form.at("/rule/none/0/value")], [true, 1, "", 1, "team"]);
  assert.equal(form.saved.rule.none[0].value, "pro");
  form.set("/rule/none", [{ attr: "plan", op: "eq", value: "pro" }]);
  assert.ok(!form.isDirty);
});
