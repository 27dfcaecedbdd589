import { describe, expect, it } from 'vitest';
import { createMemoryBlame } from '../../src/ingest/memory-blame.ts';

const bytesMax = 1000;

describe('whom the process ends that holds too much', () => {
  it('is nobody while it holds no more than it may, or while nothing runs', () => {
    const blame = createMemoryBlame<string>(bytesMax);
    expect(blame.look(5000, 0)).toBeNull();
    blame.add('a', 0);
    expect(blame.look(1000, 0)).toBeNull();
  });

  it('is surely the one that has the process to itself', () => {
    const blame = createMemoryBlame<string>(bytesMax);
    blame.add('a', 0);
    expect(blame.look(1001, 250)).toEqual({ run: 'a', sure: true });
  });

  it('is the newest of several, not surely, and the next newest once memory goes on growing', () => {
    const blame = createMemoryBlame<string>(bytesMax);
    blame.add('bomb', 0);
    const end = blame.add('innocent', 0);
    expect(blame.look(1001, 250)).toEqual({ run: 'innocent', sure: false });
    end(260);
    expect(blame.look(1500, 500)).toEqual({ run: 'bomb', sure: false });
  });

  it('is not the one that begins while the memory of the ended one is still being given back', () => {
    // Seen in the torture run of poisonous documents: an honest one, ended by a wrong guess, was ended again when it was tried next.
    const blame = createMemoryBlame<string>(bytesMax);
    const end = blame.add('bomb', 0);
    expect(blame.look(3000, 250)).toEqual({ run: 'bomb', sure: true });
    end(255);
    blame.add('innocent', 260);
    expect(blame.look(3000, 500)).toBeNull();
    expect(blame.look(1500, 750)).toBeNull();
    expect(blame.look(900, 1000)).toBeNull();
  });

  it('is the one that begins then and adds to it, or does not let go of it', () => {
    const blame = createMemoryBlame<string>(bytesMax);
    const end = blame.add('bomb', 0);
    blame.look(3000, 250);
    end(255);
    const endNext = blame.add('another bomb', 260);
    expect(blame.look(3001, 500)).toEqual({ run: 'another bomb', sure: false });
    endNext(550);
    blame.add('holds on', 600);
    expect(blame.look(3001, 2400)).toBeNull();
    expect(blame.look(3001, 2550)).toEqual({ run: 'holds on', sure: false });
  });

  it('is nobody else while a thread that is to end is still there, however long a busy machine takes to end it', () => {
    const blame = createMemoryBlame<string>(bytesMax);
    blame.add('innocent', 0);
    const end = blame.add('bomb', 0);
    expect(blame.look(3000, 250)).toEqual({ run: 'bomb', sure: false });
    expect(blame.look(3000, 60_000)).toBeNull();
    end(60_100);
    expect(blame.look(2000, 60_250)).toBeNull();
    expect(blame.look(900, 60_500)).toBeNull();
  });
});
