import { isIdentifier, type Node, type SourceFile, SyntaxKind } from "typescript/unstable/ast";
import { API } from "typescript/unstable/async";

/** One small change of one file. */
export interface Mutant {
  /** Path from the root of the tree. */
  readonly file: string;
  /** UTF-16 units of the file's text that are replaced. */
  readonly from: number;
  readonly to: number;
  readonly text: string;
  /** What kind of change it is. */
  readonly kind: string;
}

/** Above this, a number is a limit or a time, where one more or less is not a fault: it is doubled instead. */
const MAX_COUNT = 16;

const SWAPPED = new Map<SyntaxKind, string>([
  [SyntaxKind.LessThanToken, "<="],
  [SyntaxKind.LessThanEqualsToken, "<"],
  [SyntaxKind.GreaterThanToken, ">="],
  [SyntaxKind.GreaterThanEqualsToken, ">"],
  [SyntaxKind.EqualsEqualsEqualsToken, "!=="],
  [SyntaxKind.ExclamationEqualsEqualsToken, "==="],
  [SyntaxKind.AmpersandAmpersandToken, "||"],
  [SyntaxKind.BarBarToken, "&&"],
  [SyntaxKind.PlusToken, "-"],
  [SyntaxKind.MinusToken, "+"],
  [SyntaxKind.PlusEqualsToken, "-="],
  [SyntaxKind.MinusEqualsToken, "+="],
]);

/** Nodes that are only about types, or name another file, do nothing at run time. */
const STILL = new Set<SyntaxKind>([
  SyntaxKind.ImportDeclaration,
  SyntaxKind.InterfaceDeclaration,
  SyntaxKind.TypeAliasDeclaration,
  SyntaxKind.TypeReference,
  SyntaxKind.LiteralType,
]);

/** The mutants of `files`, in the order of the text. */
export async function mutantsOf(root: string, files: readonly string[]): Promise<Mutant[]> {
  const api = new API({ cwd: root });
  try {
    const snapshot = await api.updateSnapshot({ openProjects: [`${root}/tsconfig.json`] });
    const [project] = await snapshot.getProjects();
    const mutants: Mutant[] = [];
    for (const file of files) {
      const source = await project?.program.getSourceFile(`${root}/${file}`);
      if (source !== undefined) new Walk(file, source, mutants).visit(source);
    }
    return mutants;
  } finally {
    await api.close();
  }
}

class Walk {
  readonly #file: string;
  readonly #source: SourceFile;
  readonly #mutants: Mutant[];

  constructor(file: string, source: SourceFile, mutants: Mutant[]) {
    this.#file = file;
    this.#source = source;
    this.#mutants = mutants;
  }

  visit(node: Node): void {
    if (STILL.has(node.kind)) return;
    this.#mutate(node);
    node.forEachChild((child) => {
      this.visit(child);
      return undefined;
    });
  }

  #mutate(node: Node): void {
    const parts = childrenOf(node);
    switch (node.kind) {
      case SyntaxKind.IfStatement: {
        this.#negate(parts[0]);
        // A guard: without it, what it keeps out gets in.
        if (parts.length === 2) this.#replace(node, "{}", "drop a guard");
        return;
      }
      case SyntaxKind.ConditionalExpression:
      case SyntaxKind.WhileStatement:
        return this.#negate(parts[0]);
      case SyntaxKind.ExpressionStatement:
        if (!this.#textOf(node).startsWith("super(")) this.#replace(node, "{}", "drop a statement");
        return;
      case SyntaxKind.ThrowStatement:
        return this.#replace(node, "{}", "drop a throw");
      case SyntaxKind.AwaitExpression:
        if (parts[0] !== undefined) this.#replace(node, `(${this.#textOf(parts[0])})`, "drop an await");
        return;
      case SyntaxKind.NumericLiteral:
        return this.#replace(node, otherNumber(this.#textOf(node)), "another number");
      case SyntaxKind.TrueKeyword:
        return this.#replace(node, "false", "another answer");
      case SyntaxKind.FalseKeyword:
        return this.#replace(node, "true", "another answer");
      case SyntaxKind.Block:
        if (parts.length > 1) this.#replace(node, "{}", "empty a block");
        return;
      case SyntaxKind.Identifier:
        return this.#swapBound(node);
      case SyntaxKind.BinaryExpression:
        return this.#swapOperator(parts);
    }
  }

  #negate(condition: Node | undefined): void {
    if (condition !== undefined) this.#replace(condition, `!(${this.#textOf(condition)})`, "negate a condition");
  }

  #swapOperator([left, operator, right]: readonly Node[]): void {
    if (left === undefined || operator === undefined || right === undefined) return;
    if (operator.kind === SyntaxKind.QuestionQuestionToken) {
      return this.#add(left.end, right.end, "", "drop what stands in");
    }
    const other = SWAPPED.get(operator.kind);
    // Two texts have a sum, but no difference.
    if (other === undefined || this.#isText(left) || this.#isText(right)) return;
    this.#replace(operator, other, "swap an operator");
  }

  #swapBound(node: Node): void {
    if (!isIdentifier(node) || !this.#source.text.slice(0, node.getStart(this.#source)).endsWith("Math.")) return;
    if (node.text === "min") this.#replace(node, "max", "swap a bound");
    if (node.text === "max") this.#replace(node, "min", "swap a bound");
  }

  #isText({ kind }: Node): boolean {
    return kind === SyntaxKind.StringLiteral || kind === SyntaxKind.TemplateExpression;
  }

  #textOf(node: Node): string {
    return this.#source.text.slice(node.getStart(this.#source), node.end);
  }

  #replace(node: Node, text: string, kind: string): void {
    this.#add(node.getStart(this.#source), node.end, text, kind);
  }

  #add(from: number, to: number, text: string, kind: string): void {
    this.#mutants.push({ file: this.#file, from, to, text, kind });
  }
}

function childrenOf(node: Node): Node[] {
  const children: Node[] = [];
  node.forEachChild((child) => {
    children.push(child);
    return undefined;
  });
  return children;
}

function otherNumber(text: string): string {
  return Number(text.replaceAll("_", "")) <= MAX_COUNT ? `(${text} + 1)` : `(2 * ${text})`;
}
