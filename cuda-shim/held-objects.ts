/** An object of the program: who holds it, and what is to be done when nobody does. */
interface Held {
  count: number;
  readonly end: () => void;
  /** Of the references those of graphs and executable graphs. */
  readonly graphs: Map<number, number>;
}

/** The user objects of a host thread, and how often graphs hold them. */
export class HeldObjects {
  readonly #objects = new Map<number, Held>();
  readonly #guard: (body: () => void) => void;
  // Like no handle of a device.
  #next = 2 ** 41;

  /** @param guard runs a destructor: what it throws must not come out of a call */
  constructor(guard: (body: () => void) => void) {
    this.#guard = guard;
  }

  /** Adds an object. @returns its handle */
  add(end: () => void, count: number): number {
    const handle = this.#next++;
    this.#objects.set(handle, { count, end, graphs: new Map() });
    return handle;
  }

  /** @returns false if there is no such object */
  retain(handle: number, count: number): boolean {
    const object = this.#objects.get(handle);
    if (object) object.count += count;
    return object !== undefined;
  }

  /** @returns false if there is no such object, or it has fewer references */
  release(handle: number, count: number): boolean {
    const object = this.#objects.get(handle);
    if (!object || count > object.count) return false;
    this.#drop(handle, object, count);
    return true;
  }

  /** A graph holds an object. @param move by references that there are */
  hold(graph: number, handle: number, count: number, move: boolean): boolean {
    const object = this.#objects.get(handle);
    if (!object || (move && count > object.count)) return false;
    object.graphs.set(graph, (object.graphs.get(graph) ?? 0) + count);
    if (!move) object.count += count;
    return true;
  }

  /** A graph no longer holds an object. @returns false if it never did so often */
  letGo(graph: number, handle: number, count: number): boolean {
    const object = this.#objects.get(handle);
    const held = object?.graphs.get(graph) ?? 0;
    if (!object || count > held) return false;
    object.graphs.set(graph, held - count);
    this.#drop(handle, object, count);
    return true;
  }

  /** A clone or an executable graph was made of a graph: it holds what that holds. */
  copied(from: number, to: number): void {
    for (const object of this.#objects.values()) {
      if (!object.graphs.get(from)) continue;
      object.graphs.set(to, 1);
      object.count++;
    }
  }

  /** A graph or an executable graph has ended. */
  ended(graph: number): void {
    for (const [handle, object] of this.#objects) {
      const held = object.graphs.get(graph) ?? 0;
      object.graphs.delete(graph);
      if (held > 0) this.#drop(handle, object, held);
    }
  }

  #drop(handle: number, object: Held, count: number): void {
    object.count -= count;
    if (object.count > 0) return;
    this.#objects.delete(handle);
    this.#guard(object.end);
  }
}
