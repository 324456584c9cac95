/**
 * The part of the WebAssembly JavaScript interface (W3C, version 2, with threads) that Holdfast uses. The types of
 * Node leave it to those of the browser, which the engine must not see.
 */
declare namespace WebAssembly {
  // biome-ignore lint/suspicious/noEmptyInterface: opaque; made by the constructor alone
  interface Module {}
  var Module: { prototype: Module; new (bytes: ArrayBufferView<ArrayBuffer> | ArrayBuffer): Module };

  interface Instance {
    readonly exports: Exports;
  }
  var Instance: { prototype: Instance; new (module: Module, importObject?: Imports): Instance };

  interface Memory {
    readonly buffer: ArrayBufferLike;
    /** Adds pages of 64 KiB; gives their count before. */
    grow(delta: number): number;
  }
  var Memory: { prototype: Memory; new (descriptor: MemoryDescriptor): Memory };

  interface MemoryDescriptor {
    initial: number;
    maximum?: number;
    shared?: boolean;
  }

  type ExportValue = ((...values: number[]) => number) | Memory;
  type Exports = Record<string, ExportValue>;
  type ImportValue = ExportValue | number;
  type Imports = Record<string, Record<string, ImportValue>>;
}
