import { describe, expect, it } from "vitest";
import { orderingKeyOf } from "../src/ordering-key.ts";
import { isInstanceSubscription, newSubscriptionName, topicNameOf } from "../src/topic-name.ts";

const VALID = /^(?!goog)[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}$/;

describe("the topic of a key prefix", () => {
  it("can be read by an operator", () => {
    expect(topicNameOf("teleportal:sync:")).toBe("teleportal.sync.");
    expect(topicNameOf("your-app:v1.2/")).toBe("your-app.v1+2e2+2f");
  });

  it("is a valid name, and another one for another prefix", () => {
    const prefixes = [
      "",
      "a",
      "ab",
      "t",
      "t+",
      "t++",
      "t++a",
      "+",
      "1",
      "goog",
      "google:",
      "GOOG",
      "a:b",
      "a.b",
      "a+2eb",
      "a b",
      "a\0b",
      "ä",
      "文档",
      "\ud800",
      "x".repeat(197),
      "x".repeat(198),
      "x".repeat(5000),
      "x".repeat(5001),
    ];
    const names = prefixes.map(topicNameOf);
    for (const name of names) expect(name).toMatch(VALID);
    expect(new Set(names).size).toBe(prefixes.length);
  });
});

describe("an instance's subscription", () => {
  it("has a valid name of its own, however long the topic's is", () => {
    for (const topic of ["teleportal.sync.", "x".repeat(255)]) {
      const names = [newSubscriptionName(topic), newSubscriptionName(topic)];
      expect(names[0]).not.toBe(names[1]);
      for (const name of names) {
        expect(name).toMatch(VALID);
        expect(isInstanceSubscription(topic, name)).toBe(true);
        expect(isInstanceSubscription("another", name)).toBe(false);
      }
    }
  });

  it("is not mistaken for somebody else's", () => {
    expect(isInstanceSubscription("topic", "topic~archive")).toBe(false);
    expect(isInstanceSubscription("topic", "topic")).toBe(false);
  });
});

describe("the ordering key of a channel", () => {
  it("is the channel's name where that can be read", () => {
    expect(orderingKeyOf("teleportal:sync:room1/doc456")).toBe("teleportal:sync:room1/doc456");
    expect(orderingKeyOf("a\0b%")).toBe("a%0000b%0025");
  });

  it("fits into Pub/Sub's limit, and is another one for another channel", () => {
    const channels = [
      "a",
      "%",
      "%0025",
      "%%",
      "\0",
      "%0000",
      "\ud800",
      "\udc00",
      "\ufffd",
      "x".repeat(1000),
      "x".repeat(1001),
      "文".repeat(333),
      "文".repeat(334),
      `${"x".repeat(5000)}1`,
      `${"x".repeat(5000)}2`,
    ];
    const hashed = orderingKeyOf("x".repeat(1001));
    const keys = [...channels, hashed].map(orderingKeyOf);
    for (const key of keys) {
      expect(Buffer.byteLength(key)).toBeLessThanOrEqual(1000);
      // What protobuf writes comes back as it was.
      expect(key.isWellFormed()).toBe(true);
    }
    expect(new Set(keys).size).toBe(keys.length);
  });
});
