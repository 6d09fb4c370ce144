import { assert, property, string, stringMatching, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { createSubjects, MAX_SUBJECT_LENGTH } from "../src/subject.ts";

const text = (maxLength = 300) => string({ unit: "binary", maxLength });
/** What NATS gives a meaning to, and what looks like an encoding. */
const awkward = stringMatching(/^[ .*>$%\0\n/:_A-F0-9-]{0,40}$/);

/** A literal subject: tokens without white space or wildcards, none empty, and not the server's own. */
const LITERAL = /^(?!\$)[!-)+-\-/-=?-~]+(?:\.[!-)+-\-/-=?-~]+)*$/;

describe("the subject of a channel", () => {
  const subjects = createSubjects("teleportal:sync:");

  it("is its name where that is plain", () => {
    for (const name of ["teleportal:sync:doc123", "teleportal:sync:room1/doc_45-6@x"]) {
      expect(subjects.of(name)).toBe(name);
    }
  });

  it("has nothing in it that NATS gives a meaning to", () => {
    expect(subjects.of("teleportal:sync:a.b*>$ \t\n\0%ä👋")).toBe(
      "teleportal:sync:a%2Eb%2A%3E%24%20%09%0A%00%25%C3%A4%F0%9F%91%8B",
    );
  });

  it("keeps the dots of a prefix, so that permissions can name its tokens", () => {
    expect(createSubjects("app.sync.").of("app.sync.a.b")).toBe("app.sync.a%2Eb");
    expect(createSubjects("..a..").of("..a..b")).toBe("%2E.a.%2Eb");
  });

  it("is always literal, and the channel can be read from it", () => {
    const id = text().filter((id) => id !== "");
    for (const [prefix, rest] of [
      [text(20), id],
      [awkward, awkward.filter((id) => id !== "")],
    ] as const) {
      assert(
        property(tuple(prefix, rest), ([prefix, id]) => {
          const subject = createSubjects(prefix).of(prefix + id);
          expect(subject.length).toBeLessThanOrEqual(MAX_SUBJECT_LENGTH);
          expect(subject).toMatch(LITERAL);
          if (!subject.includes("%sha256:")) expect(decodeURIComponent(subject)).toBe(prefix + id);
        }),
        { numRuns: 1000 },
      );
    }
  });

  it("is one channel's only", () => {
    const prefix = createSubjects("a.");
    assert(
      property(awkward, awkward, (left, right) => {
        if (left === right) return;
        expect(prefix.of(left)).not.toBe(prefix.of(right));
        expect(prefix.of(`a.${left}`)).not.toBe(prefix.of(`a.${right}`));
      }),
      { numRuns: 1000 },
    );
  });

  it("that would be too long is a hash which no other channel has", () => {
    const prefix = "teleportal:sync:";
    const fits = prefix + "x".repeat(MAX_SUBJECT_LENGTH - prefix.length);
    expect(subjects.of(fits)).toBe(fits);
    const hashed = subjects.of(`${fits}x`);
    expect(hashed).toMatch(/^teleportal:sync:%sha256:[\w-]{43}$/);
    expect(subjects.of(`${fits}y`)).not.toBe(hashed);
    // A document may be called that, too.
    expect(subjects.of(hashed)).not.toBe(hashed);
    expect(subjects.of(prefix + "👋".repeat(2048))).toMatch(LITERAL);
  });

  it("needs a prefix that leaves room", () => {
    expect(() => createSubjects("x".repeat(513))).toThrow(
      "[sync-nats] `keyPrefix` takes 513 bytes of a subject: use at most 512",
    );
    expect(() => createSubjects("\ud800")).toThrow("half a surrogate pair");
  });
});
