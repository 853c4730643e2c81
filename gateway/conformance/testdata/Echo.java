import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;

/** Answers with what it understood of a request, line by line. */
class Echo {
    static final String[] NAMES = {"x-forwarded-for", "x-forwarded-proto", "x-gatehouse-application",
        "x-gatehouse-subject", "x-real-ip", "x-authenticated-user"};

    public static void main(String[] args) throws Exception {
        HttpServer s = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 128);
        s.setExecutor(Executors.newFixedThreadPool(4));
        s.createContext("/", ex -> {
            ex.getRequestBody().readAllBytes();
            StringBuilder b = new StringBuilder();
            b.append(ex.getRequestMethod()).append('\n');
            b.append(ex.getRequestURI()).append('\n');
            b.append(ex.getRequestURI().getPath()).append('\n');
            for (String name : NAMES) {
                StringBuilder v = new StringBuilder();
                ex.getRequestHeaders().forEach((k, values) -> {
                    if (k.toLowerCase().replace('_', '-').replace('.', '-').equals(name)) {
                        v.append(String.join(", ", values));
                    }
                });
                b.append(name).append('=').append(v).append('\n');
            }
            byte[] out = b.toString().getBytes("UTF-8");
            boolean head = ex.getRequestMethod().equals("HEAD");
            ex.sendResponseHeaders(200, head ? -1 : out.length);
            if (!head) {
                ex.getResponseBody().write(out);
            }
            ex.close();
        });
        s.start();
        System.out.println(s.getAddress().getPort());
    }
}
