/** The part of WebAssembly that `pdfium.ts` uses: TypeScript declares it with the browser's types only, which are not for a server. */
declare namespace WebAssembly {
  interface Module {
    readonly [brand: symbol]: never;
  }
  type Imports = Record<string, Record<string, unknown>>;
  class Instance {
    readonly exports: Record<string, unknown>;
    constructor(module: Module, imports: Imports);
  }
  class RuntimeError extends Error {}
  function compile(bytes: Uint8Array): Promise<Module>;
}
