/** CPace against the vectors of draft-irtf-cfrg-cpace, appendix B.3: ristretto255 and SHA-512. */
import { describe, expect, test } from "bun:test";
import { bytesToNumberLE } from "@noble/curves/utils.js";
import {
  ascii,
  confirmationOf,
  generatorOf,
  randomScalar,
  secretPointOf,
  sessionKeyOf,
  shareOf,
} from "../../../lib/codes/cpace.ts";

const bytes = (hex: string) => Uint8Array.fromHex(hex.replaceAll(/\s/g, ""));
const scalar = (hex: string) => bytesToNumberLE(bytes(hex));

const SESSION = bytes("7e4b4791d6a8ef019b936c79fb7f2c57");
const INPUT = { password: ascii("Password"), channel: ascii("\nAinitiator\nBresponder"), session: SESSION };
const YA = scalar("da3d23700a9e5699258aef94dc060dfda5ebb61f02a5ea77fad53f4ff0976d08");
const YB = scalar("d2316b454718c35362d83d69df6320f38578ed5984651435e2949762d900b80d");
const SHARE_A = "383a85dd236978f17f8c8545b50dabc52a39fcdab2cf8bc531ce040ff77ca82d";
const SHARE_B = "a6206309c0e8e5f579295e35997ac4300ab3fecec3c17f7b604f3e698fa1383c";
const POINT = "fa1d0318864e2cacb26875f1b791c9ae83204fe8359addb53e95a2e98893853f";
const ISK = `e91ccb2c0f5e0d0993a33956e3be59754f3f2b07db57631f5394452e
  a2e7b4354674eb1f5686c078462bf83bec72e8743df440108e638f3526d9b90e85be096f`;

test("the generator", () => {
  expect(generatorOf(INPUT).toHex()).toBe("5e25411ca1ad7c9debfd0b33ad987a95cefef2d3f15dcc8bd26415a5dfe2e15a");
});

test("the shares", () => {
  const generator = generatorOf(INPUT);
  expect(shareOf(generator, YA).toHex()).toBe(SHARE_A);
  expect(shareOf(generator, YB).toHex()).toBe(SHARE_B);
});

test("the secret point, from both sides", () => {
  expect(secretPointOf(YA, bytes(SHARE_B))?.toHex()).toBe(POINT);
  expect(secretPointOf(YB, bytes(SHARE_A))?.toHex()).toBe(POINT);
});

test("the key of initiator and responder", () => {
  const initiator = { share: bytes(SHARE_A), data: ascii("ADa") };
  const responder = { share: bytes(SHARE_B), data: ascii("ADb") };
  expect(sessionKeyOf(bytes(POINT), initiator, responder, SESSION)).toEqual(bytes(ISK));
});

test("a scalar times a valid point", () => {
  const point = "2c3c6b8c4f3800e7aef6864025b4ed79bd599117e427c41bd47d93d654b4a51c";
  const product = "7c13645fe790a468f62c39beb7388e541d8405d1ade69d1778c5fe3e7f6b600e";
  const s = scalar("7cd0e075fa7955ba52c02759a6c90dbbfc10e6d40aea8d283e407d88cf538a05");
  expect(secretPointOf(s, bytes(point))?.toHex()).toBe(product);
});

describe("there is no secret point for", () => {
  test.each([
    ["what is no encoding", "2b3c6b8c4f3800e7aef6864025b4ed79bd599117e427c41bd47d93d654b4a51c"],
    ["the neutral element", "00".repeat(32)],
    ["a coordinate that is not reduced", `ed${"ff".repeat(30)}7f`],
    ["a negative coordinate", `01${"00".repeat(31)}`],
    ["31 bytes", "00".repeat(31)],
    ["33 bytes", `${SHARE_A}00`],
    ["nothing", ""],
  ])("%s", (_, hex) => expect(secretPointOf(YA, bytes(hex))).toBeUndefined());
});

test("each message has another tag, and each key", () => {
  const message = { share: bytes(SHARE_A), data: ascii("client") };
  const tags = [
    confirmationOf(bytes(ISK), message),
    confirmationOf(bytes(ISK), { ...message, data: ascii("server") }),
    confirmationOf(bytes(ISK), { ...message, share: bytes(SHARE_B) }),
    confirmationOf(bytes(POINT), message),
  ];
  expect(new Set(tags.map((tag) => tag.toHex())).size).toBe(4);
  expect(tags.every((tag) => tag.length === 64)).toBe(true);
});

test("random scalars are below the order of the group, and never 0", () => {
  const scalars = Array.from({ length: 200 }, randomScalar);
  expect(scalars.every((each) => each > 0n && each < 1n << 252n)).toBe(true);
  expect(new Set(scalars).size).toBe(200);
});
