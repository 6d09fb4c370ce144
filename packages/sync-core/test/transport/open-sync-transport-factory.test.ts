import { describe, expect, it } from "vitest";
import { openSyncTransportFactory, silentLogger } from "@teleportal/sync-core";
import { createScriptedBroker } from "./scripted-broker.ts";

const options = { context: undefined, logger: silentLogger };

describe("opening a factory on a driver", () => {
  it.each([{ state: "up" } as const, { state: "down", cause: "refused" } as const])(
    "waits until the first attempt to connect has ended: $state",
    async (connection) => {
      const driver = createScriptedBroker().driver();
      let opened = false;
      const opening = openSyncTransportFactory(driver, options).then((factory) => {
        opened = true;
        return factory;
      });
      await new Promise((resolve) => setImmediate(resolve));
      expect(opened).toBe(false);
      driver.say(connection);
      const factory = await opening;
      expect(factory.status).toBe(connection.state === "up" ? "connected" : "degraded");
      await factory.close();
    },
  );

  it("closes the driver if the options are refused, so that nothing of it stays", async () => {
    const driver = createScriptedBroker().driver();
    await expect(openSyncTransportFactory(driver, { ...options, secret: "short" })).rejects.toThrow(
      "secret",
    );
    expect(driver.closed).toBe(1);
  });
});
