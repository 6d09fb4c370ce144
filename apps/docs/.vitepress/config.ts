import process from "node:process";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitepress";
import { API_ENTRIES } from "./api-entries.ts";
import { followRepositoryLinks } from "./repository-links.ts";

const SITE = fileURLToPath(new URL("..", import.meta.url));
const REPOSITORY = fileURLToPath(new URL("../../..", import.meta.url));

export default defineConfig({
  title: "Teleportal sync",
  description: "Keeps every Yjs document in step between the instances of a collaboration server.",
  lang: "en",
  // Below a host's root, such as /sync/ on GitHub Pages.
  base: process.env["DOCS_BASE"] ?? "/",
  srcExclude: ["README.md"],
  markdown: {
    config: (md) => {
      followRepositoryLinks(md, {
        site: SITE,
        repository: REPOSITORY,
        url: process.env["DOCS_REPOSITORY_URL"],
      });
    },
  },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    nav: [
      { text: "Start", link: "/start" },
      { text: "Adapters", link: "/choose-an-adapter" },
      { text: "Operating it", link: "/operating" },
      { text: "API", link: "/api/" },
    ],
    sidebar: [
      {
        text: "Begin",
        items: [
          { text: "Start in five minutes", link: "/start" },
          { text: "Choose an adapter", link: "/choose-an-adapter" },
          { text: "How it works", link: "/how-it-works" },
          { text: "Architecture", link: "/architecture" },
        ],
      },
      {
        text: "Run it",
        items: [
          { text: "The server", link: "/server" },
          { text: "Storage and limits", link: "/storage-and-limits" },
          { text: "Operating it", link: "/operating" },
          { text: "Security", link: "/security" },
          { text: "Faults", link: "/faults" },
          { text: "What was measured", link: "/measurements" },
          { text: "How it is measured", link: "/how-it-is-measured" },
        ],
      },
      {
        text: "Adapters",
        items: [
          { text: "Memory", link: "/adapters/memory" },
          { text: "Redis", link: "/adapters/redis" },
          { text: "NATS", link: "/adapters/nats" },
          { text: "Google Pub/Sub", link: "/adapters/google-pubsub" },
          { text: "sync-core", link: "/adapters/core" },
          { text: "Write an adapter", link: "/write-an-adapter" },
          { text: "Run the conformance suite", link: "/conformance" },
          { text: "Your own transport", link: "/your-own-transport" },
        ],
      },
      {
        text: "Migrate",
        items: [
          { text: "From y-websocket's server", link: "/migrate/from-y-websocket" },
          { text: "From Hocuspocus", link: "/migrate/from-hocuspocus" },
        ],
      },
      {
        text: "API reference",
        collapsed: true,
        items: API_ENTRIES.map((name) => ({ text: name, link: `/api/${name}` })),
      },
    ],
  },
});
