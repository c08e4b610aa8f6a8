import ts from 'typescript';

/** One module that a source file names. */
export interface Import {
  readonly specifier: string;
  /** Gone after compilation, so it cannot make a cycle at run time. */
  readonly typeOnly: boolean;
  readonly line: number;
}

/** Every module that a file names: import, export-from, `import()`, `require()` and `import('x').Type`. */
export function readImports(path: string, text: string): Import[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports: Import[] = [];
  const visit = (node: ts.Node): void => {
    const named = namedModule(node);
    if (named) {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
      imports.push({ ...named, line: line + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return imports;
}

type NamedModule = Omit<Import, 'line'>;

function namedModule(node: ts.Node): NamedModule | undefined {
  if (ts.isImportDeclaration(node)) return literal(node.moduleSpecifier, isTypeImport(node.importClause));
  if (ts.isExportDeclaration(node)) return literal(node.moduleSpecifier, isTypeExport(node));
  if (ts.isExternalModuleReference(node)) return literal(node.expression, false);
  if (ts.isImportTypeNode(node)) {
    return ts.isLiteralTypeNode(node.argument) ? literal(node.argument.literal, true) : undefined;
  }
  return ts.isCallExpression(node) && isLoader(node.expression)
    ? literal(node.arguments[0], false)
    : undefined;
}

function literal(node: ts.Node | undefined, typeOnly: boolean): NamedModule | undefined {
  return node && ts.isStringLiteralLike(node) ? { specifier: node.text, typeOnly } : undefined;
}

function isLoader(callee: ts.Expression): boolean {
  return (
    callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require')
  );
}

function isTypeImport(clause: ts.ImportClause | undefined): boolean {
  if (!clause) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { name, namedBindings } = clause;
  return name === undefined && namedBindings !== undefined && hasOnlyTypes(namedBindings);
}

function isTypeExport(node: ts.ExportDeclaration): boolean {
  return node.isTypeOnly || (node.exportClause !== undefined && hasOnlyTypes(node.exportClause));
}

function hasOnlyTypes(names: ts.NamedImportBindings | ts.NamedExportBindings): boolean {
  if (!ts.isNamedImports(names) && !ts.isNamedExports(names)) return false;
  return names.elements.length > 0 && names.elements.every((element) => element.isTypeOnly);
}
