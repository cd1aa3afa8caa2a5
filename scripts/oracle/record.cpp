// Records what a real GPU answers: runs every kernel of DIR/cases.json and writes DIR/golden.bin,
// all output vectors in case order, little-endian, back to back. Needs only the driver's library
// (libcuda.so.1, opened at run time), so that a machine without a toolkit can record:
//
//   g++ -O1 -static-libstdc++ -static-libgcc -o record scripts/oracle/record.cpp -ldl
//   ./record DIR [DIR…]
//
// A kernel is t(in0*, in1*, in2*, out*, n), launched with grid n/block; the output is filled with
// 0xcd first. Every kernel runs twice; one that fails or answers differently is reported, and its
// output stays 0xcd. Exit status 1 if there was one.
#include <dlfcn.h>

#include <cctype>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

// --- JSON, as much as cases.json needs ---------------------------------------------------------

struct Json {
  enum Kind { Null, Number, Text, List, Object } kind = Null;
  double number = 0;
  std::string text;
  std::vector<Json> list;
  std::map<std::string, Json> object;
};

static void fail(const std::string &what) {
  fprintf(stderr, "record: %s\n", what.c_str());
  exit(2);
}

struct Parser {
  const std::string &s;
  size_t at = 0;

  void space() {
    while (at < s.size() && strchr(" \t\r\n", s[at])) at++;
  }

  void appendUtf8(std::string &out, unsigned code) {
    if (code < 0x80) {
      out += char(code);
    } else if (code < 0x800) {
      out += char(0xc0 | code >> 6);
      out += char(0x80 | (code & 63));
    } else {
      out += char(0xe0 | code >> 12);
      out += char(0x80 | (code >> 6 & 63));
      out += char(0x80 | (code & 63));
    }
  }

  std::string string() {
    std::string out;
    for (at++; at < s.size() && s[at] != '"'; at++) {
      if (s[at] != '\\') {
        out += s[at];
        continue;
      }
      char c = s[++at];
      const char *from = "nrtbf", *to = "\n\r\t\b\f";
      if (const char *p = strchr(from, c)) {
        out += to[p - from];
      } else if (c == 'u') {
        appendUtf8(out, unsigned(strtoul(s.substr(at + 1, 4).c_str(), nullptr, 16)));
        at += 4;
      } else {
        out += c;
      }
    }
    at++;
    return out;
  }

  Json value() {
    space();
    Json v;
    if (at >= s.size()) fail("cases.json ends early");
    char c = s[at];
    if (c == '"') {
      v.kind = Json::Text;
      v.text = string();
    } else if (c == '[' || c == '{') {
      v.kind = c == '[' ? Json::List : Json::Object;
      char end = c == '[' ? ']' : '}';
      for (at++, space(); at < s.size() && s[at] != end; space()) {
        if (s[at] == ',') {
          at++;
          continue;
        }
        if (c == '[') {
          v.list.push_back(value());
        } else {
          std::string key = string();
          space();
          at++;  // the colon
          v.object[key] = value();
        }
      }
      at++;
    } else if (isdigit(c) || c == '-') {
      v.kind = Json::Number;
      const char *start = s.c_str() + at;
      char *stop;
      v.number = strtod(start, &stop);
      at += size_t(stop - start);
    } else {
      while (at < s.size() && isalpha(s[at])) at++;  // null, true, false
    }
    return v;
  }
};

static std::string readFile(const std::string &name) {
  std::ifstream f(name, std::ios::binary);
  if (!f) fail("cannot read " + name);
  std::stringstream all;
  all << f.rdbuf();
  return all.str();
}

// --- The driver API ----------------------------------------------------------------------------

typedef int Result;
typedef void *Handle;
typedef uint64_t DevicePtr;

static struct {
  Result (*init)(unsigned);
  Result (*driverVersion)(int *);
  Result (*deviceGet)(int *, int);
  Result (*deviceName)(char *, int, int);
  Result (*primaryRetain)(Handle *, int);
  Result (*setCurrent)(Handle);
  Result (*alloc)(DevicePtr *, size_t);
  Result (*toDevice)(DevicePtr, const void *, size_t);
  Result (*toHost)(void *, DevicePtr, size_t);
  Result (*fill)(DevicePtr, unsigned char, size_t);
  Result (*loadData)(Handle *, const void *, unsigned, int *, void **);
  Result (*unload)(Handle);
  Result (*function)(Handle *, Handle, const char *);
  Result (*launch)(Handle, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                   Handle, void **, void **);
  Result (*synchronize)();
} cu;

template <typename F>
static void bind(void *library, F &f, const char *name) {
  f = reinterpret_cast<F>(dlsym(library, name));
  if (!f) fail(std::string("the driver has no ") + name);
}

static void openDriver() {
  void *library = dlopen("libcuda.so.1", RTLD_NOW);
  if (!library) fail(dlerror());
  bind(library, cu.init, "cuInit");
  bind(library, cu.driverVersion, "cuDriverGetVersion");
  bind(library, cu.deviceGet, "cuDeviceGet");
  bind(library, cu.deviceName, "cuDeviceGetName");
  bind(library, cu.primaryRetain, "cuDevicePrimaryCtxRetain");
  bind(library, cu.setCurrent, "cuCtxSetCurrent");
  bind(library, cu.alloc, "cuMemAlloc_v2");
  bind(library, cu.toDevice, "cuMemcpyHtoD_v2");
  bind(library, cu.toHost, "cuMemcpyDtoH_v2");
  bind(library, cu.fill, "cuMemsetD8_v2");
  bind(library, cu.loadData, "cuModuleLoadDataEx");
  bind(library, cu.unload, "cuModuleUnload");
  bind(library, cu.function, "cuModuleGetFunction");
  bind(library, cu.launch, "cuLaunchKernel");
  bind(library, cu.synchronize, "cuCtxSynchronize");
}

static void check(Result r, const char *what) {
  if (r) fail(std::string(what) + ": driver error " + std::to_string(r));
}

static const std::map<std::string, size_t> WIDTH = {
    {"f32", 4}, {"f64", 8},   {"f16", 2},    {"bf16", 2}, {"i32", 4},
    {"i64", 8}, {"i16", 2}, {"f16x2", 4}, {"bf16x2", 4}, {"i8", 1}};

// Runs one case; what went wrong, or "".
static std::string runCase(const Json &c, unsigned n, unsigned block, const DevicePtr *in,
                           DevicePtr out, std::vector<char> &answer) {
  char log[512] = "";
  int options[] = {5, 6};  // CU_JIT_ERROR_LOG_BUFFER, …_SIZE_BYTES
  void *values[] = {log, reinterpret_cast<void *>(sizeof log)};
  Handle module, kernel;
  if (Result r = cu.loadData(&module, c.object.at("ptx").text.c_str(), 2, options, values))
    return "does not load (" + std::to_string(r) + ") " + log;
  std::string wrong;
  std::vector<char> first;
  if (cu.function(&kernel, module, "t")) wrong = "has no kernel t";
  for (int turn = 0; turn < 2 && wrong.empty(); turn++) {
    check(cu.fill(out, 0xcd, answer.size()), "fill");
    DevicePtr pointers[4] = {in[0], in[1], in[2], out};
    void *arguments[] = {&pointers[0], &pointers[1], &pointers[2], &pointers[3], &n};
    Result r = cu.launch(kernel, (n + block - 1) / block, 1, 1, block, 1, 1, 0, nullptr, arguments,
                         nullptr);
    if (!r) r = cu.synchronize();
    if (r) return "fails with driver error " + std::to_string(r);
    check(cu.toHost(answer.data(), out, answer.size()), "copy back");
    if (turn && first != answer) wrong = "not repeatable";
    first = answer;
  }
  cu.unload(module);
  return wrong;
}

static int record(const std::string &folder) {
  std::string text = readFile(folder + "/cases.json");
  Parser parser{text};
  Json all = parser.value();
  unsigned n = unsigned(all.object["n"].number), block = unsigned(all.object["block"].number);
  std::map<std::string, DevicePtr> pools;
  for (auto &[type, width] : WIDTH) {
    std::string pool = readFile(folder + "/pool." + type + ".bin");
    if (pool.size() != 3 * n * width) fail("pool." + type + ".bin has the wrong size");
    check(cu.alloc(&pools[type], pool.size()), "allocation");
    check(cu.toDevice(pools[type], pool.data(), pool.size()), "copy");
  }
  DevicePtr out;
  check(cu.alloc(&out, n * 8), "allocation");
  std::ofstream golden(folder + "/golden.bin", std::ios::binary);
  int bad = 0;
  for (const Json &c : all.object["cases"].list) {
    size_t width = WIDTH.at(c.object.at("out").text);
    std::vector<char> answer(n * width);
    DevicePtr in[3] = {out, out, out};
    const auto &types = c.object.at("in").list;
    for (size_t k = 0; k < types.size(); k++)
      in[k] = pools[types[k].text] + k * n * WIDTH.at(types[k].text);
    std::string wrong = runCase(c, n, block, in, out, answer);
    if (!wrong.empty()) {
      printf("%s: %s\n", c.object.at("name").text.c_str(), wrong.c_str());
      std::fill(answer.begin(), answer.end(), char(0xcd));
      bad++;
    }
    golden.write(answer.data(), std::streamsize(answer.size()));
  }
  printf("%s: %zu cases, %d bad\n", folder.c_str(), all.object["cases"].list.size(), bad);
  return bad;
}

int main(int count, char **arguments) {
  if (count < 2) fail("usage: record DIR [DIR…]");
  openDriver();
  check(cu.init(0), "cuInit");
  int version = 0, device = 0, bad = 0;
  char name[256] = "";
  Handle context;
  check(cu.driverVersion(&version), "version");
  check(cu.deviceGet(&device, 0), "device");
  check(cu.deviceName(name, sizeof name, device), "name");
  check(cu.primaryRetain(&context, device), "context");
  check(cu.setCurrent(context), "context");
  printf("%s, driver API %d.%d\n", name, version / 1000, version % 1000 / 10);
  for (int i = 1; i < count; i++) bad += record(arguments[i]);
  return bad != 0;
}
