/** A TypeDoc plugin: names each module as it is imported, and not by where its source lies. */
import { Converter, ReflectionKind } from "typedoc";

/** `sync-core/src/conformance` is imported as `@teleportal/sync-core/conformance`. */
function importedName(sourceName) {
  const [folder, ...entry] = sourceName.split("/").filter((part) => part !== "src");
  const name = folder === "teleportal" ? folder : `@teleportal/${folder}`;
  return [name, ...entry].join("/");
}

export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getChildrenByKind(ReflectionKind.Module)) {
      module.name = importedName(module.name);
    }
  });
}
