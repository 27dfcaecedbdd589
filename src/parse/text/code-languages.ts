/** Source code: which languages there are, by the name of the file and, where that says nothing, by its first line. */

/** By the ending of the name; what a fence calls the language. */
const byEnding: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    (
      'asm bat c clj cmake cpp cs css dart diff elm erl ex f90 fs go gradle graphql groovy hcl hs ini java jl js json5 jsx kt less lua m ml nim ' +
      'patch php pl proto ps1 py r rb rs sass scala scss sh sol sql swift tcl tf toml ts tsx v vb vue yaml zig'
    )
      .split(' ')
      .map((name) => [name, name]),
  ),
  bash: 'sh',
  cc: 'cpp',
  cfg: 'ini',
  cjs: 'js',
  conf: 'ini',
  cxx: 'cpp',
  exs: 'ex',
  gql: 'graphql',
  h: 'c',
  hpp: 'cpp',
  hh: 'cpp',
  kts: 'kt',
  mjs: 'js',
  mts: 'ts',
  cts: 'ts',
  pas: 'pascal',
  pm: 'pl',
  properties: 'ini',
  psm1: 'ps1',
  pyi: 'py',
  pyw: 'py',
  svelte: 'svelte',
  yml: 'yaml',
  zsh: 'sh',
};

const byName: Readonly<Record<string, string>> = {
  dockerfile: 'dockerfile',
  containerfile: 'dockerfile',
  makefile: 'makefile',
  gnumakefile: 'makefile',
  jenkinsfile: 'groovy',
  rakefile: 'rb',
  gemfile: 'rb',
  vagrantfile: 'rb',
  'cmakelists.txt': 'cmake',
};

/** The program that a first line names (`#!/usr/bin/env python3`). */
const byProgram: Readonly<Record<string, string>> = {
  bash: 'sh',
  sh: 'sh',
  zsh: 'sh',
  dash: 'sh',
  ksh: 'sh',
  python: 'py',
  node: 'js',
  deno: 'ts',
  perl: 'pl',
  ruby: 'rb',
  php: 'php',
  lua: 'lua',
  rscript: 'r',
  awk: 'awk',
  make: 'makefile',
};

/** Whether the ending of a name is one of source code; such a file is code whatever it begins with. */
export function isCode(ending: string): boolean {
  return Object.hasOwn(byEnding, ending);
}

/** What a fence calls the language of a file, or undefined where it is not known to be code. */
export function codeLanguage(ending: string, filename: string, text: string): string | undefined {
  if (isCode(ending)) return byEnding[ending];
  const name = filename.slice(filename.lastIndexOf('/') + 1).toLowerCase();
  if (Object.hasOwn(byName, name)) return byName[name];
  const [first = '', second = ''] = text.startsWith('#!')
    ? (text.slice(2, 200).split('\n')[0]!.trim().split(/[ \t]/) as [string, string?])
    : [];
  const program = first.endsWith('/env') ? second : first;
  const called = program
    .slice(program.lastIndexOf('/') + 1)
    .replace(/[\d.]/g, '')
    .toLowerCase();
  return Object.hasOwn(byProgram, called) ? byProgram[called] : undefined;
}
