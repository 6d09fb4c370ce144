import { onChannels } from "./broken-driver.ts";
import type { BrokenDriver } from "./broken-driver.ts";

export const isolationMistakes: readonly BrokenDriver[] = [
  {
    title: "takes dots and slashes for the same",
    breaks: (driver) => onChannels(driver, (channel) => channel.replaceAll("/", ".")),
    fails: ["isolation/channel-separators", "isolation/channel-control-names"],
  },
  {
    title: "ignores case",
    breaks: (driver) => onChannels(driver, (channel) => channel.toLowerCase()),
    fails: ["isolation/channel-case"],
  },
  {
    title: "normalises Unicode",
    breaks: (driver) => onChannels(driver, (channel) => channel.normalize("NFKC")),
    fails: ["isolation/channel-spaces", "isolation/channel-unicode"],
  },
  {
    title: "trims names",
    breaks: (driver) => onChannels(driver, (channel) => channel.trim()),
    fails: ["isolation/channel-spaces"],
  },
  {
    title: "decodes names that look escaped",
    breaks: (driver) => onChannels(driver, (channel) => channel.replaceAll("%20", " ")),
    fails: ["isolation/channel-escapes"],
  },
  {
    title: "cuts names after 255 characters",
    breaks: (driver) => onChannels(driver, (channel) => channel.slice(0, 255)),
    fails: ["isolation/channel-long-names"],
  },
  {
    title: "ends names at NUL, as C does",
    breaks: (driver) => onChannels(driver, (channel) => channel.split("\0", 1)[0] ?? ""),
    fails: ["isolation/channel-nul"],
  },
  {
    title: "keeps its subscriptions in a plain object",
    breaks(driver) {
      const handlers: Record<string, unknown> = {};
      return {
        subscribe(channel, onBytes) {
          if (handlers[channel] !== undefined) return Promise.resolve(async () => {});
          return driver.subscribe(channel, onBytes);
        },
      };
    },
    fails: ["isolation/channel-control-names"],
  },
  {
    title: "takes names for patterns",
    breaks: (driver) => ({
      async publish(channel, bytes) {
        const receivers = await driver.publish(channel, bytes);
        // What a pattern subscription of another instance would have matched.
        if (channel.endsWith(".x")) await driver.publish(channel.replace(/\.x$/, ".*"), bytes);
        return receivers;
      },
    }),
    fails: ["isolation/channel-wildcards"],
  },
  {
    title: "delivers a channel's messages to the names that it begins",
    breaks: (driver) => ({
      async publish(channel, bytes) {
        const receivers = await driver.publish(channel, bytes);
        if (channel.endsWith("1")) await driver.publish(channel.slice(0, -1), bytes);
        return receivers;
      },
    }),
    fails: ["isolation/channel-prefixes"],
  },
];
