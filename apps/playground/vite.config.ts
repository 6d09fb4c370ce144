import { defineConfig } from "vite";

export default defineConfig({
  root: "src/page",
  base: "./",
  // Two copies would not know each other's types.
  resolve: { dedupe: ["yjs", "y-protocols", "lib0"] },
  build: { outDir: "../../dist/page", emptyOutDir: true, chunkSizeWarningLimit: 1500 },
});
