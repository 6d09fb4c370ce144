import { expect, test } from "vitest";
import { ReadinessJudge } from "../../src/operations/readiness.ts";

const LIMIT = 30_000;

test("an instance that is in touch with its broker is ready, and one that needs none", () => {
  const judge = new ReadinessJudge(LIMIT);
  for (const sync of ["connected", "none", "unknown"] as const) {
    expect(judge.judge({ sync }, false, 0)).toEqual({ ready: true });
  }
});

test("an instance stays ready through an outage up to the limit, and not beyond", () => {
  const judge = new ReadinessJudge(LIMIT);
  expect(judge.judge({ sync: "degraded" }, false, 1000)).toEqual({ ready: true });
  expect(judge.judge({ sync: "degraded" }, false, 31_000)).toEqual({ ready: true });
  expect(judge.judge({ sync: "degraded" }, false, 32_000)).toEqual({
    ready: false,
    reason: "not in touch with the broker for 31 s",
  });
  expect(judge.judge({ sync: "connected" }, false, 33_000)).toEqual({ ready: true });
  expect(judge.judge({ sync: "degraded" }, false, 34_000)).toEqual({ ready: true });
});

test("an instance that is closing, or whose factory is closed, is not ready", () => {
  const judge = new ReadinessJudge(LIMIT);
  expect(judge.judge({ sync: "connected" }, true, 0)).toMatchObject({ ready: false });
  expect(judge.judge({ sync: "closed" }, false, 0)).toMatchObject({ ready: false });
});
