/** Names that brokers, encodings or careless code could confuse, by what they try. `unique` keeps checks apart. */
export const CONFUSABLE_NAMES: readonly {
  readonly name: string;
  readonly title: string;
  names(unique: string): readonly string[];
}[] = [
  {
    name: "prefixes",
    title: "names of which one begins another",
    names: (unique) => [unique, `${unique}1`, `${unique}12`, `${unique}/`, `${unique}/1`],
  },
  {
    name: "spaces",
    title: "names with spaces, tabs and line breaks",
    names: (unique) => [
      `${unique} a b`,
      `${unique} a  b`,
      `${unique}\ta`,
      `${unique}\na`,
      `${unique}\r\na`,
      ` ${unique}`,
      `${unique} `,
      `${unique}\u00a0`,
    ],
  },
  {
    name: "separators",
    title: "names with dots, slashes, colons and empty segments",
    names: (unique) => [
      `${unique}.a.b`,
      `${unique}..a`,
      `${unique}.`,
      `.${unique}`,
      `${unique}/a/b`,
      `${unique}//a`,
      `/${unique}`,
      `${unique}/../${unique}`,
      `${unique}:a`,
      `${unique}\\a`,
    ],
  },
  {
    name: "wildcards",
    title: "names that are patterns elsewhere",
    names: (unique) => [
      `${unique}.x`,
      `${unique}.*`,
      `${unique}.>`,
      `${unique}*`,
      `${unique}?x`,
      `${unique}[.]x`,
      `${unique}/#`,
      `${unique}/+`,
      "*",
      ">",
      "#",
      "+",
    ],
  },
  {
    name: "escapes",
    title: "names that look escaped, quoted or hashed",
    names: (unique) => [
      `${unique}%20`,
      `${unique}%2520`,
      `${unique} `,
      `${unique}=20`,
      `${unique}\\u0020`,
      `${unique}&amp;`,
      `"${unique}"`,
      `'${unique}'`,
      `{${unique}}`,
      `{${unique}}a`,
      `{}${unique}`,
      `~${unique}`,
      `${unique}~`,
      `${unique}_`,
      `${unique}-`,
    ],
  },
  {
    name: "unicode",
    title: "names in any script, composed and decomposed",
    names: (unique) => [
      `${unique}é`,
      `${unique}e\u0301`,
      `${unique}文档`,
      `${unique}👩‍👩‍👧`,
      `${unique}👩`,
      `${unique}\u202eabc`,
      `${unique}ﬁ`,
      `${unique}fi`,
    ],
  },
  {
    name: "case",
    title: "names that differ in case only",
    names: (unique) => [
      `${unique}doc`,
      `${unique}Doc`,
      `${unique}DOC`,
      `${unique}ı`,
      `${unique}i`,
      `${unique}ß`,
      `${unique}ss`,
    ],
  },
  {
    name: "long-names",
    title: "names of a thousand characters that differ in the last",
    names: (unique) => {
      const long = unique.padEnd(999, "x");
      return [`${long}a`, `${long}b`, long, "文".repeat(900) + unique];
    },
  },
  {
    name: "control-names",
    title: "names that look like the broker's own, or the adapter's",
    names: (unique) => [
      `$SYS.${unique}`,
      `$SYS/${unique}`,
      `_INBOX.${unique}`,
      `__keyspace@0__:${unique}`,
      `__redis__:${unique}`,
      `goog${unique}`,
      `${unique}instances`,
      "constructor",
      "__proto__",
      "toString",
    ],
  },
];
