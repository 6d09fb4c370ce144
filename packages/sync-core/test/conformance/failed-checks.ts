import { openConformance } from "@teleportal/sync-core/conformance";
import type { Check, ConformanceTarget } from "@teleportal/sync-core/conformance";

/** More would keep each other from the processor, and look dead to each other. */
const AT_A_TIME = 10;

/** These look at the whole process, so nothing else may be going on in it. */
function isAboutTheProcess({ id }: Check): boolean {
  return id.startsWith("memory/") || /no-handle|closed-while/.test(id);
}

/**
 * The ids of the checks of one subject that a target fails, in the order of a report. Each runs on a target of its
 * own, so most can run at the same time: nearly all that a broken adapter costs is waiting for what does not come.
 *
 * The memory checks, which are the slow ones, are run for adapters of which one is `expected` to fail.
 */
export async function failedChecks(
  createTarget: () => ConformanceTarget,
  subject: Check["subject"],
  expected: readonly Check["id"][],
): Promise<Check["id"][]> {
  const { checks, close } = await openConformance(createTarget());
  await close();
  const remembers = expected.some((id) => id.startsWith("memory/"));
  const wanted = checks.filter(
    (check) => check.subject === subject && (remembers || !check.id.startsWith("memory/")),
  );
  const failed = new Set<Check>();

  async function run(check: Check): Promise<void> {
    const conformance = await openConformance(createTarget());
    try {
      await conformance.run(check);
    } catch {
      failed.add(check);
    } finally {
      await conformance.close();
    }
  }

  for (const check of wanted.filter(isAboutTheProcess)) await run(check);
  const others = wanted.filter((check) => !isAboutTheProcess(check));
  await Promise.all(
    Array.from({ length: AT_A_TIME }, async () => {
      for (let check = others.shift(); check !== undefined; check = others.shift())
        await run(check);
    }),
  );
  return wanted.filter((check) => failed.has(check)).map(({ id }) => id);
}
